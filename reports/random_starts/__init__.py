"""Where single random starts of EM end on iris, beside what many starts and the posterior say."""
