using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Demo.Race;

namespace ConntrackStream.Kernel.Tests.Gate;

/// <summary>What became of a connection whose client is idle.</summary>
internal static class GateAssert
{
    /// <summary>For what has to arrive, retransmissions included.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>For what must not: a retransmission or two after the drop that the gate has counted.</summary>
    private static readonly TimeSpan Watch = TimeSpan.FromMilliseconds(500);

    /// <summary>The gate drops the server's answer, and nothing opens it again.</summary>
    internal static void Cut(GateRig rig, GateConnection connection)
    {
        GateCounts before = rig.Gate.Counts;
        connection.Answer();
        Eventually.True(() => rig.Gate.Counts.ReplyDropped > before.ReplyDropped, state: () => $"{rig.Gate.Counts}, before {before}");
        Assert.False(connection.AnswerArrives(Watch));
        Assert.Equal((before.Opened, false), (rig.Gate.Counts.Opened, rig.Map.Has(connection.Key)));
    }

    /// <summary>The server's answer arrives, and none was ever dropped on this rig.</summary>
    internal static void Intact(GateRig rig, GateConnection connection)
    {
        Assert.True(connection.ReplyArrives(Patience), $"{rig.Gate.Counts}");
        Assert.Equal(0, rig.Gate.Counts.ReplyDropped);
    }
}
