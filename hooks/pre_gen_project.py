"""The last fence for answers: a replay file or `cruft` brings them here without a prompt.

The checks run while cookiecutter renders this text: all answers are {{ cookiecutter | check_all }}.
"""
