"""What training keeps of a model."""

from dataclasses import replace

import pytest

from scaling.counting import Architecture, count_params, training_memory

MIXTRAL = Architecture.from_published("Mixtral-8x7B")


def test_sixteen_bytes_of_every_parameter_active_or_not():
    memory = training_memory(MIXTRAL)
    assert memory == {"weights": 2 * 46702792704, "gradients": 2 * 46702792704, "optimiser": 12 * 46702792704}


def test_experts_cost_memory_and_hardly_a_flop():
    double = replace(MIXTRAL, n_experts=16)
    assert sum(training_memory(double).values()) > 1.9 * sum(training_memory(MIXTRAL).values())
    more = count_params(double, "as built", active=True) - count_params(MIXTRAL, "as built", active=True)
    assert more == MIXTRAL.n_layers * MIXTRAL.d_model * 8  # the router's


def test_assumptions_are_arguments():
    served = training_memory(MIXTRAL, "kaplan", weights=0.5, gradients=0, optimiser=0)
    assert served == {"weights": 0.5 * count_params(MIXTRAL, "kaplan"), "gradients": 0.0, "optimiser": 0.0}


def test_what_is_refused():
    with pytest.raises(ValueError, match="gradients must be a finite number, at least 0, got -1"):
        training_memory(MIXTRAL, gradients=-1)
    with pytest.raises(ValueError, match="no convention 'all'"):
        training_memory(MIXTRAL, "all")
