"""What holds for all tests."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # how fast something is, bench/ says
settings.load_profile("untimed")
