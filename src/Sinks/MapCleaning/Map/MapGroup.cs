using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.MapCleaning.Map;

/// <summary>Keys of one service: what one NOTRACK rule would keep out of connection tracking.</summary>
public readonly record struct MapGroup(IpProtocol Protocol, FlowFamily Family, IpAddress Destination, ushort Port)
{
    public override int GetHashCode() => Hash(HashSeed.Process).Code;

    public static MapGroup Of(in MapKey key) => new(key.Tuple.Protocol, key.Tuple.Family, key.Tuple.Destination, key.Tuple.DestinationPort);

    internal KeyedHash Hash(in HashSeed seed) =>
        new KeyedHash(seed).Add(Destination).Add((ulong)Port << 16 | (ulong)Protocol << 8 | (ulong)Family);
}
