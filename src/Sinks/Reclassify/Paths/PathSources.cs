using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>
/// Translated source address → path. Immutable. An address that several paths claim (mwan3's two families of one device, two gateways
/// behind one) tells nothing.
/// </summary>
internal sealed class PathSources
{
    private readonly Dictionary<Address, UplinkPath?> _addresses = [];
    private readonly List<(IpPrefix Prefix, UplinkPath Path)> _prefixes = [];

    /// <param name="paths">The paths.</param>
    /// <param name="addressesOf">A device's current addresses.</param>
    internal PathSources(IEnumerable<UplinkPath> paths, Func<string, IReadOnlyList<IpPrefix>> addressesOf)
    {
        foreach (UplinkPath path in paths)
        {
            foreach (IpPrefix source in path.Sources)
                Add(source, path);
            foreach (IpPrefix own in path.Devices.SelectMany(addressesOf))
                Add(own, path);
        }
    }

    /// <summary>Among single addresses alone.</summary>
    internal UplinkPath? FindAddress(FlowFamily family, IpAddress address) => _addresses.GetValueOrDefault(new Address(family, address));

    internal UplinkPath? Find(FlowFamily family, IpAddress address)
    {
        if (_addresses.TryGetValue(new Address(family, address), out UplinkPath? path))
            return path;
        foreach (ref readonly (IpPrefix Prefix, UplinkPath Path) known in CollectionsMarshal.AsSpan(_prefixes))
        {
            if (!known.Prefix.Contains(address, family))
                continue;
            if (path is not null && path != known.Path)
                return null;
            path = known.Path;
        }

        return path;
    }

    private void Add(IpPrefix source, UplinkPath path)
    {
        if (!path.Carries(source.Family))
            return;
        if (source.Length < (source.Family == FlowFamily.IPv4 ? 32 : 128))
        {
            _prefixes.Add((source, path));
            return;
        }

        Address key = new(source.Family, source.Network);
        bool isClaimed = _addresses.TryGetValue(key, out UplinkPath? other) && other != path;
        _addresses[key] = isClaimed ? null : path;
    }

    private readonly record struct Address(FlowFamily Family, IpAddress Value)
    {
        public override int GetHashCode() => KeyedHash.Start.Add(Value).Add((ulong)Family).Code;
    }
}
