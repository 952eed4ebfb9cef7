using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// The conditions of one rule of another program, each a list of alternatives, as the static rules that they make. A value that is not
/// understood makes the rule one to leave flows alone, without that condition: then at least no later rule decides over its flows.
/// </summary>
internal sealed class RuleBuilder(string origin)
{
    private const int MaxRules = 4096; // of one

    private readonly List<string> _unknown = [];
    private List<IpProtocol?> _protocols = [null];
    private List<IpPrefix?> _sources = [null];
    private List<IpPrefix?> _destinations = [null];
    private List<PortRange?> _sourcePorts = [null];
    private List<PortRange?> _destinationPorts = [null];

    /// <summary>What was not understood.</summary>
    internal IReadOnlyList<string> Unknown => _unknown;

    /// <summary>A condition that nothing here can express.</summary>
    internal void AddUnknown(string what) => _unknown.Add(what);

    internal void SetProtocols(string what, IReadOnlyCollection<string> names) =>
        Set(ref _protocols, what, names.Contains("all", StringComparer.Ordinal) ? [] : names, static (string text, out IpProtocol value) =>
            FilterText.TryParseProtocol(text, out value, out _));

    internal void SetSources(string what, IEnumerable<string> prefixes) => Set(ref _sources, what, prefixes, TryParsePrefix);

    internal void SetDestinations(string what, IEnumerable<string> prefixes) => Set(ref _destinations, what, prefixes, TryParsePrefix);

    internal void SetSourcePorts(string what, IEnumerable<string> ports) => Set(ref _sourcePorts, what, ports, PortRange.TryParse);

    internal void SetDestinationPorts(string what, IEnumerable<string> ports) => Set(ref _destinationPorts, what, ports, PortRange.TryParse);

    /// <param name="families">The families the rule is about.</param>
    /// <param name="pathOf">The path for flows of a family; null: leave them alone.</param>
    internal IEnumerable<StaticRule> Build(IReadOnlyList<FlowFamily> families, Func<FlowFamily, string?> pathOf)
    {
        bool isOneForAll = families.Count > 1 && families.All(family => pathOf(family) == pathOf(families[0]));
        IEnumerable<StaticRule> rules = isOneForAll ? OfFamily(null, pathOf(families[0])) : families.SelectMany(family => OfFamily(family, pathOf(family)));
        return rules.Take(MaxRules + 1).ToArray() is { Length: <= MaxRules } all ? all : [new StaticRule { Path = null, Origin = $"{origin} (more than {MaxRules} combinations)" }];
    }

    private IEnumerable<StaticRule> OfFamily(FlowFamily? family, string? path) =>
        from protocol in _protocols
        from source in _sources
        where family is null || source is null || source.Value.Family == family
        from destination in _destinations
        where family is null || destination is null || destination.Value.Family == family
        where source is null || destination is null || source.Value.Family == destination.Value.Family
        from sourcePort in _sourcePorts
        from destinationPort in _destinationPorts
        select new StaticRule
        {
            Path = _unknown.Count > 0 ? null : path,
            Origin = origin,
            Protocol = protocol,
            Source = source,
            Destination = destination ?? (family is null || source is not null ? null : new IpPrefix(default, 0, family.Value)),
            SourcePort = sourcePort,
            DestinationPort = destinationPort,
        };

    private void Set<T>(ref List<T?> condition, string what, IEnumerable<string> texts, TryParse<T> tryParse)
        where T : struct
    {
        List<T?> read = [];
        foreach (string text in texts)
        {
            if (!tryParse(text, out T value))
            {
                _unknown.Add($"{what} {text}");
                condition = [null];
                return;
            }

            read.Add(value);
        }

        condition = read.Count == 0 ? [null] : read;
    }

    private static bool TryParsePrefix(string text, out IpPrefix prefix) => IpPrefix.TryParse(text, out prefix, out _);

    private delegate bool TryParse<T>(string text, out T value);
}
