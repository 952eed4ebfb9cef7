namespace ConntrackStream.Pipeline.Loop;

/// <summary>Threads for work that waits or never ends.</summary>
public static class OwnThread
{
    /// <summary>Runs a body on a thread of its own.</summary>
    /// <param name="name">Of the thread; the kernel shows its first 15 bytes.</param>
    /// <returns>Ends with the body, and fails with it. What awaits it goes on elsewhere.</returns>
    public static Task Run(string name, Action body) => Run(name, () =>
    {
        body();
        return true;
    });

    /// <summary>The same for a body with a result.</summary>
    public static Task<T> Run<T>(string name, Func<T> body) => Task.Factory.StartNew(
        () =>
        {
            Thread.CurrentThread.Name = name;
            return body();
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning | TaskCreationOptions.RunContinuationsAsynchronously,
        TaskScheduler.Default);
}
