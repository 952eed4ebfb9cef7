// The connection table's size, its buckets and the listeners' autodetection are one for the machine: tests take turns.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
