namespace ConntrackStream.Pipeline.Loop;

/// <summary>Threads of the pipeline, for work that waits or never ends.</summary>
internal static class OwnThread
{
    /// <summary>Runs a body on a thread of its own.</summary>
    /// <param name="name">Of the thread; the kernel shows its first 15 bytes.</param>
    /// <returns>Ends with the body, and fails with it. What awaits it goes on elsewhere.</returns>
    internal static Task Run(string name, Action body) => Task.Factory.StartNew(
        () =>
        {
            Thread.CurrentThread.Name = name;
            body();
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning | TaskCreationOptions.RunContinuationsAsynchronously,
        TaskScheduler.Default);
}
