"""Check all answers once more, because a replay file or `cruft` supplies them without a prompt.

The checks run while cookiecutter renders this text: all answers are {{ cookiecutter | check_all }}.
"""
