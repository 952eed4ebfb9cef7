using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>What is to be done in the kernel's sets, all of it since the last time at once; and what came of it.</summary>
internal sealed class ResetWork
{
    internal List<PendingReset> Add { get; } = [];

    internal List<PendingReset> Remove { get; } = [];

    internal List<PendingReset> Look { get; } = [];

    internal bool IsEmpty => Add.Count == 0 && Remove.Count == 0 && Look.Count == 0;

    /// <summary>The set could not be changed.</summary>
    internal NetlinkException? ChangeFailure { get; private set; }

    /// <summary>The entries could not be read.</summary>
    internal NetlinkException? LookFailure { get; private set; }

    internal void Run(IResetCalls calls, TimeSpan timeout)
    {
        try
        {
            calls.Change(Add, Remove, timeout);
        }
        catch (NetlinkException e)
        {
            ChangeFailure = e;
        }

        try
        {
            if (Look.Count > 0)
                calls.Look(Look);
        }
        catch (NetlinkException e)
        {
            LookFailure = e;
        }
    }
}
