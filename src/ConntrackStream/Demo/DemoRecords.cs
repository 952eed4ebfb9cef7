namespace ConntrackStream.Service.Demo;

/// <summary>The live view against the kernel.</summary>
/// <param name="InView">Flows in the live view.</param>
/// <param name="InKernel">Entries in the kernel's table.</param>
/// <param name="Missing">Entries the view lacks.</param>
/// <param name="Ghosts">Flows the kernel does not have.</param>
internal readonly record struct DemoComparison(long InView, long InKernel, long Missing, long Ghosts)
{
    internal bool IsExact => Missing == 0 && Ghosts == 0;
}

/// <summary>What the flow log wrote.</summary>
/// <param name="Started">Start records.</param>
/// <param name="Ended">End records.</param>
/// <param name="Lost">Events the kernel could not deliver.</param>
internal readonly record struct DemoRecords(long Started, long Ended, long Lost);
