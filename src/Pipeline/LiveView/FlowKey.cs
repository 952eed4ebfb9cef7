using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>A tuple packed for the table of one family, so that IPv4 rows do not pay for IPv6 addresses.</summary>
internal interface IFlowKey<TSelf> : IEquatable<TSelf>
    where TSelf : unmanaged, IFlowKey<TSelf>
{
    static abstract TSelf From(in FlowTuple tuple);

    FlowTuple ToTuple();

    ushort Zone { get; }

    IpProtocol Protocol { get; }

    /// <summary>A keyed hash: remote hosts choose tuples, so an unkeyed one would let them build long chains.</summary>
    ulong Hash(in HashSeed seed);
}

/// <summary>IPv4: 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FlowKey4(ulong Addresses, ulong Rest) : IFlowKey<FlowKey4>
{
    public static FlowKey4 From(in FlowTuple tuple) => new(
        tuple.Source.Low << 32 | (uint)tuple.Destination.Low,
        PortsZoneProtocol(tuple));

    public ushort Zone => (ushort)(Rest >> 16);

    public IpProtocol Protocol => (IpProtocol)(byte)Rest;

    public FlowTuple ToTuple() => Unpack(Rest, FlowFamily.IPv4, new IpAddress(0, Addresses >> 32), new IpAddress(0, (uint)Addresses));

    public ulong Hash(in HashSeed seed) => new KeyedHash(seed).Add(Addresses).Add(Rest).Value;

    public override int GetHashCode() => KeyedHash.Start.Add(Addresses).Add(Rest).Code;

    internal static ulong PortsZoneProtocol(in FlowTuple tuple) =>
        (ulong)tuple.SourcePort << 48 | (ulong)tuple.DestinationPort << 32 | (ulong)tuple.Zone << 16 | (byte)tuple.Protocol;

    internal static FlowTuple Unpack(ulong rest, FlowFamily family, IpAddress source, IpAddress destination) => new()
    {
        Source = source,
        Destination = destination,
        SourcePort = (ushort)(rest >> 48),
        DestinationPort = (ushort)(rest >> 32),
        Zone = (ushort)(rest >> 16),
        Protocol = (IpProtocol)(byte)rest,
        Family = family,
    };
}

/// <summary>IPv6: 40 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FlowKey6(IpAddress Source, IpAddress Destination, ulong Rest) : IFlowKey<FlowKey6>
{
    public static FlowKey6 From(in FlowTuple tuple) => new(tuple.Source, tuple.Destination, FlowKey4.PortsZoneProtocol(tuple));

    public ushort Zone => (ushort)(Rest >> 16);

    public IpProtocol Protocol => (IpProtocol)(byte)Rest;

    public FlowTuple ToTuple() => FlowKey4.Unpack(Rest, FlowFamily.IPv6, Source, Destination);

    public ulong Hash(in HashSeed seed) => new KeyedHash(seed).Add(Source).Add(Destination).Add(Rest).Value;

    public override int GetHashCode() => KeyedHash.Start.Add(Source).Add(Destination).Add(Rest).Code;
}
