using System.Text.Json;
using System.Text.Json.Serialization;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>
/// A file of Layouts/: what the bytes of one kind of map mean. Adding a kind is adding a file. Addresses are in network order, all else in
/// the host's; numbers of the key are offsets, and bytes of the key that no field covers are padding, always zero.
/// </summary>
internal sealed record MapLayoutFile
{
    public required string Name { get; init; }

    /// <summary>Whose map it is, for the reader.</summary>
    public required string About { get; init; }

    public required uint MapType { get; init; } // enum bpf_map_type

    public required int KeySize { get; init; }

    public required int ValueSize { get; init; }

    /// <summary><c>ipv4</c> or <c>ipv6</c>.</summary>
    public required string Family { get; init; }

    public required MapKeyOffsets Key { get; init; }

    /// <summary>IANA numbers; in keys of all other protocols both ports are zero.</summary>
    public required IReadOnlyList<byte> ProtocolsWithPorts { get; init; }

    public required MapValueFields Value { get; init; }

    /// <exception cref="InvalidDataException">It is no such file.</exception>
    internal static MapLayoutFile Parse(string file, ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, MapLayoutJson.Default.MapLayoutFile) ?? throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"map layout {file}: {e.Message}", e);
        }
    }
}

/// <param name="Source">4 or 16 bytes, by the family.</param>
/// <param name="Destination">As the source.</param>
/// <param name="SourcePort">2 bytes.</param>
/// <param name="DestinationPort">2 bytes.</param>
/// <param name="Protocol">1 byte.</param>
/// <param name="Owner">As the source.</param>
/// <param name="InterfaceIndex">4 bytes; null where keys have none.</param>
internal sealed record MapKeyOffsets(
    int Source, int Destination, int SourcePort, int DestinationPort, int Protocol, int Owner, int? InterfaceIndex = null);

/// <summary>Together they cover the whole value, so that what is taken can be put back as it was.</summary>
internal sealed record MapValueFields(MapField State, MapField? LastSeen = null);

/// <param name="Offset">Of its first byte.</param>
/// <param name="Size">In bytes: 1, 2, 4 or 8.</param>
internal sealed record MapField(int Offset, int Size);

[JsonSerializable(typeof(MapLayoutFile))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
internal sealed partial class MapLayoutJson : JsonSerializerContext;
