"""What a model costs, from its configuration alone: walks of its anatomy.

``ledger`` has the counts, ``formulas`` the same in letters; ``part_table``, ``costs`` and
``compare`` are made of them; ``module_table`` and ``reconcile`` hold them against torch.
"""
