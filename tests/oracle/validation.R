# What the tests of knowledge/cohort/validation compare with, worked out by other people's programs:
#   Rscript tests/oracle/validation.R     (Debian: r-cran-rms r-cran-proc r-cran-jsonlite r-cran-brglm2 r-cran-mass)
# Writes tests/data/oracle/validation.json: the cohorts (estimate and outcome of each patient), the results, the versions.
suppressPackageStartupMessages({
  library(rms); library(pROC); library(jsonlite); library(brglm2); library(MASS)
})

thresholds <- (5:60) / 100
z <- qnorm(0.975)

set.seed(20261124)
cohorts <- list(
  # estimates too high and too far apart, 300 patients, no ties
  spread = local({ lp <- rnorm(300, -0.2, 1.1); list(p = plogis(lp), y = rbinom(300, 1, plogis(-0.3 + 0.7 * lp))) }),
  # estimates in steps of 5 %, so that many are tied
  ties = local({ p <- pmin(pmax(round(plogis(rnorm(120, -0.8, 0.9)) * 20) / 20, 0.05), 0.95); list(p = p, y = rbinom(120, 1, p)) }),
  # many patients, good estimates of a rarer outcome
  many = local({ lp <- rnorm(2500, -1.6, 0.8); list(p = plogis(lp), y = rbinom(2500, 1, plogis(lp))) }),
  # few events
  few = local({ lp <- seq(-2.5, 1.5, length.out = 30); y <- rep(0, 30); y[c(9, 14, 18, 22, 25, 29, 30)] <- 1; list(p = plogis(lp), y = y) }),
  # the estimates part those with the outcome from those without
  separated = local({ lp <- seq(-2, 1, length.out = 14); list(p = plogis(lp), y = as.numeric(lp > -0.4)) }),
  one_event = local({ lp <- seq(-1.5, 1, length.out = 12); y <- rep(0, 12); y[8] <- 1; list(p = plogis(lp), y = y) }),
  no_event = local({ lp <- seq(-1.5, 1, length.out = 12); list(p = plogis(lp), y = rep(0, 12)) }),
  only_events = local({ lp <- seq(-1.5, 1, length.out = 12); list(p = plogis(lp), y = rep(1, 12)) })
)

net_benefit <- function(p, y, t) {  # by the definition, patient by patient
  treated <- p >= t
  sum(treated & y == 1) / length(y) - sum(treated & y == 0) / length(y) * t / (1 - t)
}

newcombe5 <- function(a, m, n) {  # Newcombe 2006: |theta - a| = z sqrt(V(theta))
  v <- function(t) t * (1 - t) * (1 + ((m + n) / 2 - 1) * ((1 - t) / (2 - t) + t / (1 + t))) / (m * n)
  f <- function(t) (t - a)^2 - z^2 * v(t)
  low <- if (a <= 0) 0 else uniroot(f, c(0, a - 1e-9), tol = 1e-14)$root
  high <- if (a >= 1) 1 else uniroot(f, c(a + 1e-9, 1), tol = 1e-14)$root
  c(low, high)
}

results <- lapply(cohorts, function(cohort) {
  p <- cohort$p; y <- cohort$y; lp <- qlogis(p); n <- length(y); events <- sum(y)
  out <- list(p = p, y = y)
  out$observed_expected <- c(events / sum(p), binom.test(events, n)$conf.int[1:2] * n / sum(p))
  out$brier <- mean((y - p)^2)
  out$net_benefit <- sapply(thresholds, function(t) net_benefit(p, y, t))
  out$net_benefit_of_all <- sapply(thresholds, function(t) net_benefit(rep(1, n), y, t))
  log_chance <- function(a) sum(y * plogis(lp + a, log.p = TRUE) + (1 - y) * plogis(-lp - a, log.p = TRUE))
  if (events == 0 || events == n) {
    out$one_sided <- uniroot(function(a) log_chance(a) - log(0.025), c(-40, 40), tol = 1e-13)$root
    return(out)
  }
  out$scaled_brier <- 1 - out$brier / (mean(y) * (1 - mean(y)))
  large <- glm(y ~ offset(lp), family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100))
  out$large <- unname(c(coef(large), suppressMessages(confint(large))))
  roc <- suppressMessages(roc(y, p, direction = "<"))
  out$c_statistic <- as.numeric(auc(roc))
  out$newcombe5 <- newcombe5(out$c_statistic, events, n - events)
  if (min(events, n - events) > 1) {
    out$delong_variance <- as.numeric(var(roc, method = "delong"))
    out$delong_interval <- as.numeric(ci.auc(roc, method = "delong"))[c(1, 3)]
  }
  if (min(events, n - events) >= 20) {
    logistic <- glm(y ~ lp, family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100))
    limits <- suppressMessages(confint(logistic))
    out$intercept <- unname(c(coef(logistic)[1], limits[1, ]))
    out$slope <- unname(c(coef(logistic)[2], limits[2, ]))
    val <- val.prob(p, y, pl = FALSE)
    out$val_prob <- as.list(val[c("Intercept", "Slope", "Brier", "C (ROC)")])
    quantiles <- if (min(events, n - events) >= 500) c(.05, .275, .5, .725, .95) else
      if (min(events, n - events) >= 100) c(.05, .35, .65, .95) else c(.1, .5, .9)
    knots <- unname(quantile(lp, quantiles))
    at <- seq(quantile(lp, 0.01), quantile(lp, 0.99), length.out = 25)
    flexible <- glm(y ~ rcs(lp, knots), family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100))
    fit <- predict(flexible, data.frame(lp = at), se.fit = TRUE)
    out$curve <- list(knots = knots, at = at, observed = unname(plogis(fit$fit)),
      low = unname(plogis(fit$fit - z * fit$se.fit)), high = unname(plogis(fit$fit + z * fit$se.fit)))
  } else if (min(events, n - events) >= 5) {
    firth <- glm(y ~ lp, family = binomial, method = "brglmFit", type = "AS_mean",
      control = brglmControl(epsilon = 1e-12, maxit = 1000))
    out$firth <- unname(coef(firth))
  }
  out
})

# Sample sizes by the formulas of Riley et al. 2021, over the estimates of "many"; and what their program pmvalsampsize
# documents (R package 0.1.0, its tests; the slope's there by simulation) for the prosthetic valves of the paper.
p <- cohorts$many$p; lp <- qlogis(p); w <- p * (1 - p)
i00 <- mean(w); i01 <- mean(lp * w); i11 <- mean(lp^2 * w)
se <- function(width) width / (2 * z)
c_variance <- function(n, c, phi) c * (1 - c) * (1 + (n / 2 - 1) * (1 - c) / (2 - c) + (n / 2 - 1) * c / (1 + c)) / (n^2 * phi * (1 - phi))
benefit <- function(sens, spec, phi, t, width) {
  w <- (1 - phi) / phi * t / (1 - t)
  (sens * (1 - sens) / phi + w^2 * spec * (1 - spec) / (1 - phi) + w^2 * (1 - spec)^2 / (phi * (1 - phi))) / se(width)^2
}
oe_se <- uniroot(function(s) exp(z * s) - exp(-z * s) - 0.2, c(1e-6, 1), tol = 1e-14)$root
sizes <- list(
  oe = list(share = 0.2, n = ceiling(0.8 / (0.2 * oe_se^2))),
  slope = list(n = ceiling(i00 / (se(0.2)^2 * (i00 * i11 - i01^2)))),
  c_statistic = list(c = 0.72, share = 0.2,
    n = ceiling(uniroot(function(n) c_variance(n, 0.72, 0.2) - se(0.1)^2, c(2, 1e6), tol = 1e-9)$root)),
  net_benefit = list(sensitivity = 0.6, specificity = 0.88, share = 0.72, threshold = 0.8,
    n = ceiling(benefit(0.6, 0.88, 0.72, 0.8, 0.2)))
)

versions <- sapply(c("rms", "pROC", "brglm2", "MASS", "jsonlite"), function(name) as.character(packageVersion(name)))
write(toJSON(list(
  made_by = list(script = "tests/oracle/validation.R", R = as.character(getRversion()), packages = as.list(versions)),
  thresholds = thresholds, cohorts = results, sample_sizes = sizes
), digits = NA, auto_unbox = TRUE), "tests/data/oracle/validation.json")
