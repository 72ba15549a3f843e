"""The rooms behind `SegmentStore`: where it lies, how it is opened, and the SQL of each group of tables."""
