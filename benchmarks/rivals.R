# Times an R package over many data sets, without its start: Rscript rivals.R PACKAGE QUESTION DATA ANSWERS
# DATA has a line a patient: set, outcome, covariates. ANSWERS gets a line a set: coefficients and, of the question
# "full", p-values, lower and upper limits. Printed: processor and wall seconds.
words <- commandArgs(trailingOnly = TRUE)
package <- words[1]
full <- words[2] == "full"
suppressPackageStartupMessages(library(package, character.only = TRUE))
sets <- lapply(split(read.csv(words[3]), ~set), function(rows) rows[, -1])

of_brglm2 <- function(rows) {
  found <- glm(y ~ x1 + x2 + x3, binomial(), rows, method = "brglmFit", type = "MPL_Jeffreys")
  if (found$converged) coef(found) else NA
}
of_logistf <- function(rows) {
  found <- logistf(y ~ x1 + x2 + x3, rows, pl = full)
  if (!full) return(found$coefficients)
  c(found$coefficients, found$prob, found$ci.lower, found$ci.upper)
}
solve_one <- list(brglm2 = of_brglm2, logistf = of_logistf)[[package]]
attempt <- function(rows) tryCatch(suppressWarnings(solve_one(rows)), error = function(e) NA)

invisible(lapply(sets[1:5], attempt))
began <- proc.time()
answers <- lapply(sets, attempt)
took <- proc.time() - began
width <- if (full) 16 else 4
write.table(do.call(rbind, lapply(answers, rep_len, width)), words[4], row.names = FALSE, col.names = FALSE)
cat(took[["user.self"]] + took[["sys.self"]], took[["elapsed"]], "\n")
