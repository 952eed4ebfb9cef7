using System.Globalization;

namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>Where connections run.</summary>
/// <param name="IPv6">The family.</param>
/// <param name="IsOwn">The client is the gateway itself.</param>
/// <param name="Latency">Between client and gateway, each way, in ms.</param>
/// <param name="DropsInput">The gateway's INPUT takes only what belongs to its own connections.</param>
public sealed record MovePlace(bool IPv6 = false, bool IsOwn = false, int Latency = 0, bool DropsInput = false)
{
    /// <summary>The rig, made so.</summary>
    internal UplinkRig Build()
    {
        UplinkRig rig = new();
        if (IsOwn)
            rig.RouteOwn();
        if (Latency > 0)
            rig.DelayClient1(TimeSpan.FromMilliseconds(Latency));
        if (DropsInput)
            rig.DropInput();
        return rig;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{(IPv6 ? "IPv6" : "IPv4")}, {(IsOwn ? "own" : "forwarded")}, {Latency} ms, INPUT {(DropsInput ? "drop" : "accept")}");
}
