using ConntrackStream.Sinks.Reclassify.Sets.Ipsets;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Nfts;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;

namespace ConntrackStream.Sinks.Reclassify.Sets;

/// <summary>
/// Every set that is mirrored, once: those of rules, and those that a list:set of theirs names. Once reading has begun, the reader's own.
/// </summary>
internal sealed class SourceList
{
    private readonly Mirror _mirror;
    private readonly Dictionary<SetName, SetSource> _sources = [];
    private readonly HashSet<SetName> _ofRules;

    internal SourceList(IEnumerable<SetRule> rules, Mirror mirror)
    {
        _mirror = mirror;
        _ofRules = [.. rules.Select(rule => rule.Set)];
        foreach (SetName name in _ofRules)
            Of(name);
    }

    internal IReadOnlyCollection<SetSource> All => _sources.Values;

    internal SetSource Of(SetName name)
    {
        if (_sources.TryGetValue(name, out SetSource? source))
            return source;
        source = name.Kind == SetKind.Nft ? new NftSource(name, _mirror) : new IpsetSource(name.Name, _mirror, OfIpset);
        _sources.Add(name, source);
        return source;
    }

    /// <summary>Forgets sets that neither a rule nor a list names any longer.</summary>
    internal void Prune()
    {
        if (_sources.Count == _ofRules.Count)
            return;
        HashSet<SetName> needed = [.. _ofRules];
        foreach (SetSource source in _sources.Values)
        {
            if (source.Content is IpsetList list)
                needed.UnionWith(list.Members.Select(member => member.Source.Name));
        }

        foreach (SetName name in _sources.Keys.Where(name => !needed.Contains(name)).ToList())
            _sources.Remove(name);
    }

    private IpsetSource OfIpset(string name) => (IpsetSource)Of(SetName.Ipset(name));
}
