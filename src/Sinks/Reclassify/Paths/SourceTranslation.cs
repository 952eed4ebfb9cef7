using System.Collections.Concurrent;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>
/// Whose sources are translated on which path, as the configuration and the flows tell. Only an entry's first packet is translated: an
/// entry that is not must not be re-marked to where it would have been, for its packets would leave there with a
/// source that is no use. From any thread.
/// </summary>
internal sealed class SourceTranslation
{
    private const int MostNetworks = 4096;

    /// <summary>RFC 1918, 6598 and 4193.</summary>
    private static readonly IpPrefix[] Private =
    [
        Of("10.0.0.0/8"), Of("172.16.0.0/12"), Of("192.168.0.0/16"), Of("100.64.0.0/10"), Of("fc00::/7"),
    ];

    private readonly ConcurrentDictionary<(string Path, FlowFamily Family), bool> _paths = [];
    private readonly ConcurrentDictionary<(string Path, FlowFamily Family, IpAddress Network), bool> _networks = [];
    private int _count; // of networks

    /// <param name="paths">Those with addresses of their own translate.</param>
    internal SourceTranslation(IEnumerable<UplinkPath> paths)
    {
        foreach (UplinkPath path in paths)
        {
            foreach (IpPrefix source in path.Sources)
                _paths[(path.Name, source.Family)] = true;
        }
    }

    /// <summary>A flow is on a path, its source translated.</summary>
    internal void Note(UplinkPath path, in FlowTuple original)
    {
        if (!_paths.ContainsKey((path.Name, original.Family)))
            _paths[(path.Name, original.Family)] = true;
        (string, FlowFamily, IpAddress) network = SourceUse.NetworkOf(path, original);
        if (!_networks.ContainsKey(network) && Volatile.Read(ref _count) < MostNetworks && _networks.TryAdd(network, true))
            Interlocked.Increment(ref _count);
    }

    /// <summary>
    /// Whether a flow that is not translated would be, had it begun on another path: flows of its network are; or others are there, and its
    /// source is private, or nobody is where it is now. Where others are translated beside it, its source is one that is not.
    /// </summary>
    internal bool IsExpected(in FlowTuple original, UplinkPath now, UplinkPath wanted) =>
        _networks.ContainsKey(SourceUse.NetworkOf(wanted, original))
        || (_paths.ContainsKey((wanted.Name, original.Family))
            && (IsPrivate(original) || !_paths.ContainsKey((now.Name, original.Family))));

    private static bool IsPrivate(in FlowTuple original)
    {
        foreach (IpPrefix prefix in Private)
        {
            if (prefix.Contains(original.Source, original.Family))
                return true;
        }

        return false;
    }

    private static IpPrefix Of(string text) =>
        IpPrefix.TryParse(text, out IpPrefix prefix, out string? error) ? prefix : throw new ArgumentException(error, nameof(text));
}
