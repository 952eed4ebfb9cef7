using System.Globalization;
using System.Text.Json.Serialization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Output;

/// <summary>A key of an eBPF map, with the names of flow records; absent = the key has none.</summary>
internal record MapKeyRecord
{
    [JsonPropertyOrder(-8)]
    public string? Family { get; init; }

    [JsonPropertyOrder(-7)]
    public string? Proto { get; init; }

    [JsonPropertyOrder(-6)]
    public string? Src { get; init; }

    [JsonPropertyOrder(-5)]
    public ushort? Sport { get; init; }

    [JsonPropertyOrder(-4)]
    public string? Dst { get; init; }

    [JsonPropertyOrder(-3)]
    public ushort? Dport { get; init; }

    /// <summary>The pod the entry belongs to.</summary>
    [JsonPropertyOrder(-2)]
    public string? Owner { get; init; }

    [JsonPropertyOrder(-1)]
    public uint? Ifindex { get; init; }

    internal TRecord WithKey<TRecord>(in MapKey key)
        where TRecord : MapKeyRecord
    {
        FlowTuple tuple = key.Tuple;
        bool hasPorts = !MapKeys.IsShared(tuple.Protocol);
        return (TRecord)(this with
        {
            Family = tuple.Family.Name(),
            Proto = tuple.Protocol.Name(),
            Src = tuple.Source.ToIPAddress(tuple.Family).ToString(),
            Sport = hasPorts ? tuple.SourcePort : null,
            Dst = tuple.Destination.ToIPAddress(tuple.Family).ToString(),
            Dport = hasPorts ? tuple.DestinationPort : null,
            Owner = key.Owner.ToIPAddress(tuple.Family).ToString(),
            Ifindex = key.InterfaceIndex == 0 ? null : key.InterfaceIndex,
        });
    }

    /// <summary>Such as <c>tcp src=10.0.0.1 dst=10.0.0.2 sport=1025 dport=80 owner=10.0.0.1 ifindex=7</c>.</summary>
    internal string KeyText() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Proto} src={Src} dst={Dst}{(Sport is null ? "" : $" sport={Sport} dport={Dport}")} "
        + $"owner={Owner}{(Ifindex is null ? "" : $" ifindex={Ifindex}")}");
}
