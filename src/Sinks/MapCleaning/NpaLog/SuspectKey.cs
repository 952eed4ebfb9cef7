using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>
/// A tuple in neither orientation and in no zone: both directions of a flow, and either spelling of a map key, give the same one. Without
/// ports it stands for all flows of that protocol between the two addresses: the agent's keys of ICMP carry no id.
/// </summary>
internal readonly record struct SuspectKey(
    IpAddress Low, ushort LowPort, IpAddress High, ushort HighPort, IpProtocol Protocol, FlowFamily Family)
{
    internal bool HasPorts => (LowPort | HighPort) != 0;

    public override int GetHashCode() => KeyedHash.Start.Add(Low).Add(High)
        .Add((ulong)LowPort << 48 | (ulong)HighPort << 32 | (ulong)Protocol << 8 | (ulong)Family).Code;

    /// <summary>Of a map key, or of a flow with its ports.</summary>
    internal static SuspectKey Of(in FlowTuple tuple)
    {
        ushort sourcePort = tuple.IsIcmp ? (ushort)0 : tuple.SourcePort;
        ushort destinationPort = tuple.IsIcmp ? (ushort)0 : tuple.DestinationPort;
        bool isOrdered = (tuple.Source.High, tuple.Source.Low, sourcePort).CompareTo(
            (tuple.Destination.High, tuple.Destination.Low, destinationPort)) <= 0;
        return isOrdered
            ? new SuspectKey(tuple.Source, sourcePort, tuple.Destination, destinationPort, tuple.Protocol, tuple.Family)
            : new SuspectKey(tuple.Destination, destinationPort, tuple.Source, sourcePort, tuple.Protocol, tuple.Family);
    }

    /// <summary>The key that stands for all flows between these addresses.</summary>
    internal SuspectKey WithoutPorts() => this with { LowPort = 0, HighPort = 0 };
}
