"""Settings for every test: hypothesis draws the same examples each time and is not timed."""

import hypothesis

hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")
