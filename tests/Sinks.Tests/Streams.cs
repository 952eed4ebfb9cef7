// Four classes at a time, however few processors there are: most wait, for brokers, servers and programs.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
