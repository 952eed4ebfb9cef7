using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>What a layout must fulfil before a byte of a map is read by it.</summary>
internal static class MapLayoutRules
{
    /// <summary>Of a key or a value, in bytes: both are made on the stack.</summary>
    internal const int MaxSize = 64;

    /// <exception cref="InvalidDataException">A field lies outside or over another one, or a value is not covered.</exception>
    internal static void Check(MapLayoutFile file)
    {
        if (file.KeySize is <= 0 or > MaxSize || file.ValueSize is <= 0 or > MaxSize)
            throw Broken(file, $"key and value have 1 to {MaxSize} bytes, not {file.KeySize} and {file.ValueSize}");
        CoverKey(file);
        bool[] value = new bool[file.ValueSize];
        foreach ((string name, MapField? field) in new[] { ("state", file.Value.State), ("last_seen", file.Value.LastSeen) })
        {
            if (field is null)
                continue;
            if (field.Size is not (1 or 2 or 4 or 8))
                throw Broken(file, $"value.{name} has {field.Size} bytes, not 1, 2, 4 or 8");
            Cover(file, value, $"value.{name}", field.Offset, field.Size);
        }

        if (value.Contains(false))
            throw Broken(
                file, $"byte {Array.IndexOf(value, false)} of the value belongs to no field, and would be lost when an entry is put back");
    }

    internal static FlowFamily Family(MapLayoutFile file) => FamilyNames.TryParse(file.Family, out FlowFamily family)
        ? family
        : throw Broken(file, $"family '{file.Family}' is neither ipv4 nor ipv6");

    /// <summary>Offsets of the key's bytes that no field covers.</summary>
    internal static int[] Padding(MapLayoutFile file)
    {
        bool[] covered = CoverKey(file);
        return [.. Enumerable.Range(0, covered.Length).Where(i => !covered[i])];
    }

    private static bool[] CoverKey(MapLayoutFile file)
    {
        int address = Family(file) == FlowFamily.IPv4 ? 4 : 16;
        bool[] covered = new bool[file.KeySize];
        Cover(file, covered, "key.source", file.Key.Source, address);
        Cover(file, covered, "key.destination", file.Key.Destination, address);
        Cover(file, covered, "key.source_port", file.Key.SourcePort, sizeof(ushort));
        Cover(file, covered, "key.destination_port", file.Key.DestinationPort, sizeof(ushort));
        Cover(file, covered, "key.protocol", file.Key.Protocol, sizeof(byte));
        Cover(file, covered, "key.owner", file.Key.Owner, address);
        if (file.Key.InterfaceIndex is int interfaceIndex)
            Cover(file, covered, "key.interface_index", interfaceIndex, sizeof(uint));
        return covered;
    }

    private static void Cover(MapLayoutFile file, bool[] covered, string field, int offset, int size)
    {
        if (offset < 0 || offset > covered.Length - size)
            throw Broken(file, $"{field} (bytes {offset} to {offset + size - 1}) does not lie within {covered.Length} bytes");
        Span<bool> bytes = covered.AsSpan(offset, size);
        if (bytes.Contains(true))
            throw Broken(file, $"{field} (bytes {offset} to {offset + size - 1}) lies over another field");
        bytes.Fill(true);
    }

    private static InvalidDataException Broken(MapLayoutFile file, string reason) => new($"map layout '{file.Name}': {reason}");
}
