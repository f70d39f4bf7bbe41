# What the cohort report's tables are checked with: base R, epitools, epiR, MatchIt, MASS (Debian: r-cran-epitools,
# r-cran-epir, r-cran-matchit, r-cran-mass, r-cran-jsonlite). Run from the top of the repository: make r-oracle.
suppressMessages({
  library(jsonlite); library(epitools); library(epiR); library(MatchIt)
})

# x1/n1 with prophylaxis, x0/n0 without. The founding study; the examples of Newcombe (1998), Table II; that of
# Koopman (1984); and tables with empty cells.
tables <- list(
  c(1, 10, 16, 30), c(0, 10, 7, 30), c(3, 30, 3, 30), c(36, 40, 16, 80),
  c(56, 70, 48, 80), c(9, 10, 3, 10), c(6, 7, 2, 7), c(5, 56, 0, 29), c(0, 10, 0, 20), c(0, 10, 0, 10),
  c(10, 10, 0, 20), c(10, 10, 0, 10), c(0, 30, 20, 30), c(4, 5, 1, 7), c(2, 3, 5, 9), c(150, 400, 300, 600)
)

wilson <- function(x, n) as.numeric(suppressWarnings(prop.test(x, n, correct = FALSE))$conf.int)

# Newcombe's method 10, written from its formula; the Wilson limits are prop.test's.
newcombe <- function(t) {
  w1 <- wilson(t[1], t[2]); w0 <- wilson(t[3], t[4]); p1 <- t[1] / t[2]; p0 <- t[3] / t[4]
  c(p1 - p0 - sqrt((p1 - w1[1])^2 + (w0[2] - p0)^2), p1 - p0 + sqrt((w1[2] - p1)^2 + (p0 - w0[1])^2))
}

# Koopman's limits in epiR, by Nam's closed form. The function behind epi.2by2 is called itself: version 2.0.57 of
# epi.2by2 hands it the table by columns where it reads rows, so that its answer is that of the transposed table.
koopman <- function(t) {
  found <- epiR:::zRRscore(c(t[1], t[2] - t[1], t[3], t[4] - t[3]), 0.95)
  as.numeric(unlist(found)[1:3])
}

contrasts <- lapply(tables, function(t) {
  score <- koopman(t)
  list(
    x1 = t[1], n1 = t[2], x0 = t[3], n0 = t[4],
    fisher = fisher.test(matrix(c(t[1], t[2] - t[1], t[3], t[4] - t[3]), 2, byrow = TRUE))$p.value,
    exact = as.numeric(binom.test(t[1], t[2])$conf.int),
    exact_epitools = as.numeric(binom.exact(t[1], t[2])[4:5]),
    wilson = wilson(t[1], t[2]),
    wilson_epitools = as.numeric(binom.wilson(t[1], t[2])[4:5]),
    newcombe = newcombe(t),
    koopman = ifelse(is.finite(score), score, NA) # estimate, lower, upper; null: infinite or undefined
  )
})

# Standardised differences: MatchIt's, with the mean of both variances; of categories by hand, as Yang and Dalton have it.
set.seed(20261124)
data <- data.frame(
  given = rep(c(1, 0), c(10, 30)),
  age = round(rnorm(40, 66, 8)),
  ratio = round(exp(rnorm(40, 0.2, 0.8)), 2),
  liver = rbinom(40, 1, 0.4),
  ecog = sample(0:2, 40, replace = TRUE, prob = c(0.3, 0.5, 0.2))
)
# With estimand ATE MatchIt divides by the pooled standard deviation, sqrt of the mean of both variances.
balance <- summary(matchit(given ~ age + ratio + liver, data = data, method = NULL, estimand = "ATE"))$sum.all
pooled <- function(x, binary = FALSE) {
  v <- function(y) if (binary) mean(y) * (1 - mean(y)) else var(y)
  (mean(x[data$given == 1]) - mean(x[data$given == 0])) / sqrt((v(x[data$given == 1]) + v(x[data$given == 0])) / 2)
}
multinomial <- function(x, levels) {
  p <- sapply(levels[-1], function(k) mean(x[data$given == 1] == k)); q <- sapply(levels[-1], function(k) mean(x[data$given == 0] == k))
  s <- (diag(p) - p %*% t(p) + diag(q) - q %*% t(q)) / 2
  sqrt(as.numeric(t(p - q) %*% MASS::ginv(s) %*% (p - q)))
}
result <- list(
  source = list(R = R.version.string, epitools = as.character(packageVersion("epitools")),
                epiR = as.character(packageVersion("epiR")), MatchIt = as.character(packageVersion("MatchIt")),
                MASS = as.character(packageVersion("MASS"))),
  contrasts = contrasts,
  balance = list(
    data = data,
    pooled = list(age = pooled(data$age), ratio = pooled(data$ratio), liver = pooled(data$liver, TRUE)),
    matchit = as.list(balance[c("age", "ratio", "liver"), "Std. Mean Diff."]),
    multinomial = multinomial(data$ecog, 0:2),
    quantiles = as.numeric(quantile(data$ratio, c(0.25, 0.5, 0.75))),
    sd = sd(data$ratio), mean = mean(data$ratio)
  )
)
write_json(result, "tests/data/oracle/tables.json", digits = NA, auto_unbox = TRUE, pretty = TRUE, null = "null", na = "null")
