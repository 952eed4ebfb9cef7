using System.Diagnostics;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// Marks threads that must never wait for the kernel. A netlink request takes its subsystem's mutex, which another program's request may
/// hold for seconds: ctnetlink's is held while a table is flushed. Debug builds of this library refuse to send one from such a thread; in
/// the package, a release build, the marks do nothing.
/// </summary>
public static class NeverWaits
{
    [ThreadStatic]
    private static bool t_applies;

    /// <summary>From here on this thread must not wait.</summary>
    [Conditional("DEBUG")]
    public static void Enter() => t_applies = true;

    /// <summary>From here on it may.</summary>
    [Conditional("DEBUG")]
    public static void Leave() => t_applies = false;

    /// <summary>Before a call that may wait.</summary>
    /// <exception cref="InvalidOperationException">This thread must not: a defect.</exception>
    [Conditional("DEBUG")]
    internal static void Check(string call)
    {
        if (t_applies)
            throw new InvalidOperationException($"{call} may wait for the kernel, which this thread must never do");
    }
}
