using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>
/// The layouts this program knows, told apart by map type, key size and value size: maps carry no better mark of their kind.
/// </summary>
internal sealed class MapLayouts
{
    private const string Folder = "Ebpf.Layouts/";

    private readonly MapLayout[] _all;

    /// <exception cref="InvalidDataException">Two share a name, or cannot be told apart.</exception>
    internal MapLayouts(IEnumerable<MapLayout> layouts)
    {
        _all = [.. layouts.OrderBy(static layout => layout.Name, StringComparer.Ordinal)];
        foreach (MapLayout one in _all)
        {
            if (Array.Find(_all, other => other != one && (other.Name == one.Name || Sizes(other) == Sizes(one))) is MapLayout other)
                throw new InvalidDataException(
                    $"map layouts '{one.Name}' and '{other.Name}' have the same name or the same type and sizes");
        }
    }

    /// <summary>Those of this assembly.</summary>
    internal static MapLayouts Known { get; } = new(ReadEmbedded());

    internal IReadOnlyList<MapLayout> All => _all;

    internal bool TryFind(in BpfMapInfo map, out MapLayout layout)
    {
        (BpfMapType, int, int) sizes = (map.Type, (int)map.KeySize, (int)map.ValueSize);
        layout = Array.Find(_all, one => Sizes(one) == sizes)!;
        return layout is not null;
    }

    /// <exception cref="FlowMapException">There is none of this name.</exception>
    internal MapLayout Named(string name) => Array.Find(_all, one => one.Name == name)
        ?? throw new FlowMapException(
            $"map layout '{name}' is not known", Errno.None, $"known are {string.Join(", ", _all.Select(static one => one.Name))}");

    public override string ToString() => string.Join("; ", _all.Select(static one =>
        $"{one.Name} (type {one.MapType}, key {one.KeySize}, value {one.ValueSize})"));

    private static (BpfMapType Type, int Key, int Value) Sizes(MapLayout layout) => (layout.MapType, layout.KeySize, layout.ValueSize);

    private static IEnumerable<MapLayout> ReadEmbedded()
    {
        foreach (string file in typeof(MapLayouts).Assembly.GetManifestResourceNames())
        {
            if (!file.StartsWith(Folder, StringComparison.Ordinal))
                continue;
            using Stream stream = typeof(MapLayouts).Assembly.GetManifestResourceStream(file)!;
            byte[] json = new byte[stream.Length];
            stream.ReadExactly(json);
            yield return new MapLayout(MapLayoutFile.Parse(file, json));
        }
    }
}
