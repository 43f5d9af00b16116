"""Does the verdict warn where it must, and only there?"""
