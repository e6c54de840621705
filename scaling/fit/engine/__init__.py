"""The estimator itself: arrays in, arrays out. It knows no table and no law."""
