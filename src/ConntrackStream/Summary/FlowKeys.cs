using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Summary;

/// <summary>An address.</summary>
internal readonly record struct HostKey(FlowFamily Family, IpAddress Address)
{
    internal static HostKey Source(in FlowTuple original) => new(original.Family, original.Source);

    internal static HostKey Destination(in FlowTuple original) => new(original.Family, original.Destination);

    public override int GetHashCode() => Address.GetHashCode(); // keyed: remote hosts choose addresses

    public override string ToString() => Address.ToIPAddress(Family).ToString();
}

/// <summary>Source and destination of the original direction.</summary>
internal readonly record struct PairKey(HostKey Source, HostKey Destination)
{
    internal static PairKey Of(in FlowTuple original) => new(HostKey.Source(original), HostKey.Destination(original));

    public override int GetHashCode() => KeyedHash.Start.Add(Source.Address).Add(Destination.Address).Code;
}

/// <summary>Where flows lead to: address and port.</summary>
internal readonly record struct ServiceKey(HostKey Host, ushort Port)
{
    internal static ServiceKey Of(in FlowTuple original) => new(HostKey.Destination(original), original.DestinationPort);

    public override int GetHashCode() => KeyedHash.Start.Add(Host.Address).Add((ulong)Port).Code;

    public override string ToString() => AddressPort.Text(Host.Address, Host.Family, Port);
}
