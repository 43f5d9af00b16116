"""Does the second line of the verdict notice a wrong model, and only that?"""
