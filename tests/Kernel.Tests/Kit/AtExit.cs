using System.Collections.Concurrent;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// Disposes what is still alive when the test process is told to end (SIGTERM, Ctrl-C), so that even then nothing is left behind.
/// </summary>
internal static class AtExit
{
    private static readonly ConcurrentDictionary<IDisposable, byte> Alive = new();

    static AtExit() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (IDisposable one in Alive.Keys)
            one.Dispose();
    };

    internal static void Register(IDisposable one) => Alive.TryAdd(one, 0);

    /// <summary>False when it has been taken already: only the first dispose does the work.</summary>
    internal static bool Take(IDisposable one) => Alive.TryRemove(one, out _);
}
