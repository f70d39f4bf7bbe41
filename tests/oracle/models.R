# Oracle of the cohort report's regressions: Firth by brglm2, profiles by a plain search, FLIC by glm with an offset,
# c by pROC, optimism by refitting each resample, Rubin's rules by mitools and mice, imputation by mice.
# Writes tests/data/oracle/models.json; run from the top folder: Rscript tests/oracle/models.R
suppressPackageStartupMessages({
  library(brglm2); library(pROC); library(mitools); library(mice); library(jsonlite)
})
RNGkind("Mersenne-Twister", "Inversion", "Rejection")

# --- a cohort with missing values -----------------------------------------------------------------
make_cohort <- function(n, seed, missing, slope = 0.9) {
  set.seed(seed)
  log2_ratio <- round(rnorm(n, 0.1, 1.0), 3)
  liver <- rbinom(n, 1, plogis(-0.6 + 0.5 * log2_ratio))
  diabetes <- rbinom(n, 1, 0.25)
  cvd <- rbinom(n, 1, 0.35)
  age <- pmin(pmax(round(rnorm(n, 66, 8)), 18), 90)
  crs_any <- rbinom(n, 1, plogis(-0.3 + slope * log2_ratio + 0.9 * liver))
  severe <- crs_any * rbinom(n, 1, plogis(-0.8 + 0.5 * log2_ratio))
  icans <- rbinom(n, 1, plogis(-1.4 + 0.9 * diabetes + 0.8 * cvd))
  # What is missing depends on the outcome, which is always seen: at random, in Rubin's sense.
  gone <- function(x, p) ifelse(runif(n) < p, NA, x)
  data.frame(
    ratio = gone(round(2^log2_ratio, 4), missing * (0.5 + crs_any)), liver = gone(liver, missing * (1.5 - crs_any)),
    diabetes = gone(diabetes, missing), cvd = gone(cvd, missing * (0.5 + icans)), age = gone(age, missing / 2),
    crs = crs_any + severe, icans = icans
  )
}

columns_of <- function(d) {
  data.frame(
    ldh_elevated = as.numeric(d$ratio > 1), ldh_doublings = log2(d$ratio), liver_metastases = d$liver,
    diabetes = d$diabetes, cardiovascular_disease = d$cvd, age = d$age / 10,
    crs_any = as.numeric(d$crs >= 1), crs_grade2plus = as.numeric(d$crs >= 2), icans_any = as.numeric(d$icans >= 1)
  )
}

# --- Firth regression -----------------------------------------------------------------------------
penalised <- function(beta, X, y) {
  eta <- drop(X %*% beta)
  p <- plogis(eta)
  sum(y * plogis(eta, log.p = TRUE) + (1 - y) * plogis(-eta, log.p = TRUE)) +
    0.5 * as.numeric(determinant(crossprod(X * sqrt(p * (1 - p))))$modulus)
}

# The best penalised log likelihood with coefficient j held at a value; the others found by Nelder-Mead and BFGS.
held <- function(j, value, X, y, start) {
  free <- setdiff(seq_len(ncol(X)), j)
  f <- function(other) { beta <- numeric(ncol(X)); beta[j] <- value; beta[free] <- other; -penalised(beta, X, y) }
  if (length(free) == 1) {
    found <- optimize(f, start[free] + c(-12, 12), tol = 1e-12)
    return(-found$objective)
  }
  one <- optim(start[free], f, control = list(reltol = 1e-14, maxit = 5000))
  two <- optim(one$par, f, method = "BFGS", control = list(reltol = 1e-15, maxit = 5000))
  -min(one$value, two$value)
}

profile_of <- function(j, X, y, beta, se) {
  top <- penalised(beta, X, y)
  gap <- function(value) top - held(j, value, X, y, beta) - qchisq(0.95, 1) / 2
  edge <- function(side) {
    far <- beta[j] + side * se
    while (gap(far) < 0) far <- far + side * se
    uniroot(gap, sort(c(beta[j], far)), tol = 1e-10)$root
  }
  lr <- 2 * (top - held(j, 0, X, y, beta))
  list(lower = edge(-1), upper = edge(1), p = pchisq(lr, 1, lower.tail = FALSE))
}

firth <- function(formula, data) {
  glm(formula, binomial, data, method = "brglmFit", type = "AS_mean", epsilon = 1e-12, maxit = 1000)
}

one_model <- function(d, outcome, predictors) {
  used <- d[complete.cases(d[, c(outcome, predictors)]), ]
  m <- firth(reformulate(predictors, outcome), used)
  X <- model.matrix(m); y <- used[[outcome]]; beta <- coef(m); se <- sqrt(diag(vcov(m)))
  profiles <- lapply(seq_along(predictors) + 1, function(j) profile_of(j, X, y, beta, se[j]))
  slopes <- drop(X[, -1, drop = FALSE] %*% beta[-1])
  flic <- glm(y ~ 1, binomial, offset = slopes, control = glm.control(epsilon = 1e-14))
  predicted <- unname(fitted(flic))
  list(
    outcome = outcome, predictors = I(predictors), n = nrow(used), events = sum(y),
    outcome_unknown = sum(is.na(d[[outcome]])),
    coef = I(unname(beta[-1])), se = I(unname(se[-1])),
    lower = I(sapply(profiles, `[[`, "lower")), upper = I(sapply(profiles, `[[`, "upper")),
    p = I(sapply(profiles, `[[`, "p")),
    flic_intercept = unname(coef(flic)), predicted = I(predicted),
    c = as.numeric(auc(y, predicted, direction = "<", quiet = TRUE))
  )
}

cohort <- make_cohort(48, 20261124, 0.08)
cohort$crs[c(3, 17)] <- NA
d <- columns_of(cohort)
wanted <- list(
  list("crs_any", "ldh_elevated"), list("crs_any", "ldh_doublings"), list("crs_any", "age"),
  list("icans_any", "diabetes"), list("crs_grade2plus", "liver_metastases"),
  list("crs_any", c("ldh_elevated", "liver_metastases")), list("crs_any", c("ldh_doublings", "liver_metastases")),
  list("crs_grade2plus", "ldh_elevated"), list("crs_grade2plus", "ldh_doublings"),
  list("crs_grade2plus", c("ldh_elevated", "liver_metastases")),
  list("crs_grade2plus", c("ldh_doublings", "liver_metastases")),
  list("icans_any", c("diabetes", "cardiovascular_disease"))
)
models <- lapply(wanted, function(w) one_model(d, w[[1]], w[[2]]))

# --- optimism of the c statistic: each resample refitted by brglm2 ----------------------------------
optimism <- function(outcome, predictors, times, seed) {
  used <- d[complete.cases(d[, c(outcome, predictors)]), c(outcome, predictors)]
  set.seed(seed)
  chosen <- t(replicate(times, sample(nrow(used), replace = TRUE)))
  loss <- apply(chosen, 1, function(i) {
    boot <- used[i, ]
    if (length(unique(boot[[outcome]])) < 2 || any(sapply(predictors, function(p) length(unique(boot[[p]])) < 2))) return(NA)
    m <- suppressWarnings(firth(reformulate(predictors, outcome), boot))
    eta <- function(data) drop(as.matrix(data[, predictors, drop = FALSE]) %*% coef(m)[-1])
    area <- function(data) as.numeric(auc(data[[outcome]], round(eta(data), 9), direction = "<", quiet = TRUE))
    area(boot) - area(used)
  })
  list(outcome = outcome, predictors = I(predictors), chosen = chosen - 1L, loss = I(loss))
}
resampled <- list(
  optimism("crs_any", c("ldh_doublings", "liver_metastases"), 40, 5),
  optimism("icans_any", c("diabetes", "cardiovascular_disease"), 40, 6)
)

# --- Rubin's rules: in the observed degrees of freedom mitools leaves out the factor 1 + 1/m, mice has it ----------
rubin <- function(q, u, dfcom) {
  a <- MIcombine(as.list(q), as.list(u), df.complete = dfcom)
  b <- pool.scalar(q, u, n = dfcom + 1, k = 1)
  list(
    estimates = q, variances = u, complete_degrees = dfcom,
    mitools = list(estimate = unname(coef(a)), variance = unname(drop(vcov(a))), df = unname(a$df)),
    mice = list(estimate = b$qbar, variance = b$t, within = b$ubar, between = b$b, df = b$df, lambda = b$lambda %||% NA)
  )
}
`%||%` <- function(x, y) if (is.null(x)) y else x
pooled <- list(
  rubin(c(0.91, 1.14, 0.75, 1.02, 1.31), c(0.42, 0.39, 0.47, 0.41, 0.44), 27),
  rubin(c(2.01, 0.35, 1.22, 3.10, -0.40, 1.05), c(0.30, 0.33, 0.28, 0.41, 0.35, 0.31), 24),
  rubin(c(0.500, 0.501, 0.499, 0.5005), c(0.09, 0.0901, 0.0899, 0.09), 400)
)

# --- multiple imputation: mice with its own choice of methods ---------------------------------------
large <- make_cohort(400, 77, 0.2)
e <- columns_of(large)
impute <- function(outcome, predictors, methods, seed) {
  frame <- e[, c(outcome, predictors)]
  frame$liver_metastases <- factor(frame$liver_metastases)
  imp <- mice(frame, m = 200, maxit = 8, method = methods, printFlag = FALSE, seed = seed)
  fits <- lapply(seq_len(imp$m), function(i) {
    done <- complete(imp, i)
    done$liver_metastases <- as.numeric(as.character(done$liver_metastases))
    m <- firth(reformulate(predictors, outcome), done)
    list(q = coef(m)[-1], u = diag(vcov(m))[-1])
  })
  lapply(seq_along(predictors), function(j) {
    p <- pool.scalar(sapply(fits, function(f) f$q[j]), sapply(fits, function(f) f$u[j]), n = nrow(frame), k = 3)
    list(predictor = predictors[j], estimate = p$qbar, se = sqrt(p$t), df = p$df, between = p$b)
  })
}
imputed <- list(
  outcome = "crs_any", sets = 200,
  effects = impute("crs_any", c("ldh_doublings", "liver_metastases"), c("", "norm", "logreg"), 3)
)

write_json(
  list(
    made_by = "tests/oracle/models.R", r = R.version.string,
    packages = sapply(c("brglm2", "pROC", "mitools", "mice"), function(p) as.character(packageVersion(p))) |> as.list(),
    cohort = cohort, models = models, optimism = resampled, rubin = pooled, large = large, imputed = imputed
  ),
  "tests/data/oracle/models.json", digits = NA, auto_unbox = TRUE, na = "null", pretty = FALSE
)
