"""The verdict names what the prior, not the data, decides."""

import pandas as pd

from bayesmix.report.influence import left_to_prior, pulled_by_prior

ROWS = ["rate_coef[Intercept]", "rate_coef[x]", "rate_coef[I(x ** 2)]", "zero_coef[Intercept]"]
PARAMETERS = pd.DataFrame({"em": [0.0, 20.0, -3.0, 1.0], "mean": [0.1, 1.0, -2.9, -9.0], "sd": 2.0}, index=ROWS)
SENSITIVITY = {
    ROWS[0]: {"prior": 0.01, "likelihood": 0.1},
    ROWS[1]: {"prior": 0.4, "likelihood": 0.3},
    ROWS[2]: {"prior": 0.2, "likelihood": 0.01},
    ROWS[3]: {"prior": None, "likelihood": None},
}


def test_a_parameter_far_from_em_that_moves_with_the_prior_is_named():
    (text,) = pulled_by_prior(PARAMETERS, SENSITIVITY)
    assert "places rate_coef[x]:" in text
    assert "up to 10 posterior standard deviations" in text
    assert pulled_by_prior(PARAMETERS.assign(mean=PARAMETERS["em"]), SENSITIVITY) == []
    assert pulled_by_prior(PARAMETERS, {}) == []


def test_what_the_data_say_little_of_is_named():
    (text,) = left_to_prior(SENSITIVITY)
    assert text == "The data say little of rate_coef[I(x ** 2)]: there the prior decides."
    assert left_to_prior({}) == []
