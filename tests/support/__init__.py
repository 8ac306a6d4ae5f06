"""What the tests of the template share.

Test modules import from here and never from each other. `baked` renders projects and gives them verbs, `layout` says
where things are in a rendered project, `variants` and `answers` hold the answers to try, and `processes` starts
child processes and makes sure that they end. `programs/` holds the code that tests run in processes of their own.
"""
