# X.csv Z.csv ROUNDS: mclust's EM (model VVV) from responsibilities Z; its seconds per run and its end, as JSON.
suppressMessages(library(mclust))
arguments <- commandArgs(trailingOnly = TRUE)
X <- as.matrix(read.csv(arguments[1], header = FALSE))
Z <- as.matrix(read.csv(arguments[2], header = FALSE))
fit <- me(X, modelName = "VVV", z = Z)
seconds <- replicate(as.integer(arguments[3]), system.time(me(X, modelName = "VVV", z = Z), gcFirst = FALSE)[["elapsed"]])
cat(sprintf(
  '{"runs": [%s], "log_likelihood": %.12g, "iterations": %d, "version": "mclust %s, R %s"}\n',
  paste(format(seconds, digits = 6), collapse = ", "), fit$loglik, as.integer(attr(fit, "info")[["iterations"]]),
  packageVersion("mclust"), getRversion()
))
