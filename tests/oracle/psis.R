# Pareto-smoothed importance sampling by loo, for knowledge/cohort/update/psis.py.
# Debian: r-cran-loo, r-cran-jsonlite. From the repository's root: Rscript tests/oracle/psis.R
suppressMessages(library(loo))
library(jsonlite)

# Log ratios without a random generator of either language: quantiles of a known tail in a scrambled order, rounded so
# that both read the same numbers. A Pareto tail of shape k has log ratios k * exponential quantiles.
scrambled <- function(size) ((seq_len(size) * 7919) %% size + 0.5) / size
cases <- list(
  bounded = log(0.5 + scrambled(1000)),
  normal_light = 0.5 * qnorm(scrambled(2000)),
  normal_heavy = 3 * qnorm(scrambled(2000)),
  pareto_0.3 = -0.3 * log1p(-scrambled(1500)),
  pareto_0.7 = -0.7 * log1p(-scrambled(1500)),
  pareto_1.2 = -1.2 * log1p(-scrambled(1500)),
  short = 1.5 * qnorm(scrambled(40)),
  one_dominates = c(0.2 * qnorm(scrambled(300)), 12),
  far_below_zero = -4000 + 1.5 * qnorm(scrambled(800))
)
result <- lapply(cases, function(ratio) {
  ratio <- round(ratio, 12)
  fit <- suppressWarnings(psis(ratio, r_eff = 1))
  weight <- as.numeric(weights(fit, log = TRUE, normalize = TRUE))
  list(log_ratio = ratio, khat = as.numeric(pareto_k_values(fit)), log_weight = weight)
})
out <- list(R = R.version.string, loo = as.character(packageVersion("loo")), cases = result)
writeLines(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = FALSE), "tests/data/oracle/psis.json")
