"""What a user gives, checked: data with covariates and labels, priors as frozen data, errors in his terms."""
