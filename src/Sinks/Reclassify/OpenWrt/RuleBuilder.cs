using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// The conditions of one rule of another program as the static rules that they make: first one for each combination of what is understood,
/// then, where something is not, rules to leave alone the flows that it could concern. So a later rule decides
/// over none of them, and over all others.
/// </summary>
internal sealed class RuleBuilder(string origin)
{
    private const int MaxRules = 65_536; // of one

    private readonly List<string> _unknown = [];
    private readonly Alternatives<IpProtocol> _protocols = new();
    private readonly Alternatives<IpPrefix> _sources = new(), _destinations = new();
    private readonly Alternatives<PortRange> _sourcePorts = new(), _destinationPorts = new();

    /// <summary>What was not understood, each as a clause that names the option and its value.</summary>
    internal IReadOnlyList<string> Unknown => _unknown;

    /// <summary>All flows of the rule are left alone, not only those that match what is not understood.</summary>
    internal bool IsLeftAlone { get; private set; }

    /// <summary>A condition of the whole rule that nothing here can express.</summary>
    internal void AddUnknown(string clause)
    {
        _unknown.Add(clause);
        IsLeftAlone = true;
    }

    internal void AddProtocol(string option, string name)
    {
        if (FilterText.TryParseProtocol(name, out IpProtocol protocol, out _))
            _protocols.Add(protocol);
        else
            LeaveAlone(_protocols, NotUnderstood(option, name));
    }

    internal void AddSource(string option, string prefix) => Add(_sources, option, prefix);

    internal void AddDestination(string option, string prefix) => Add(_destinations, option, prefix);

    /// <summary>Sources other than these, or any where there are none, may match.</summary>
    internal void OpenSource(string clause, IEnumerable<IpPrefix>? never = null) => Open(_sources, clause, never);

    internal void OpenDestination(string clause, IEnumerable<IpPrefix>? never = null) => Open(_destinations, clause, never);

    /// <summary>
    /// A program that does not understand one of the ports sets no such rule, or one that is not known
    /// here: so all of its flows are left alone.
    /// </summary>
    internal void AddSourcePort(string option, string text, bool isUnderstood = true) => Add(_sourcePorts, option, text, isUnderstood);

    internal void AddDestinationPort(string option, string text, bool isUnderstood = true) =>
        Add(_destinationPorts, option, text, isUnderstood);

    /// <param name="families">The families the rule is about.</param>
    /// <param name="pathOf">The path for flows of a family; null: leave them alone.</param>
    internal IReadOnlyList<StaticRule> Build(IReadOnlyList<FlowFamily> families, Func<FlowFamily, string?> pathOf)
    {
        Bound();
        (FlowFamily? Family, string? Path)[] parts =
            [.. families.Select(family => ((FlowFamily?)family, IsLeftAlone ? null : pathOf(family)))];
        if (parts.Length > 1 && parts.All(part => part.Path == parts[0].Path))
            parts = [(null, parts[0].Path)];
        return
        [
            .. parts.SelectMany(part => Of(part.Family, part.Path, isOpen: false)),
            .. parts.SelectMany(part => Of(part.Family, null, isOpen: true)),
        ];
    }

    internal static string NotUnderstood(string option, string value) => $"option {option} '{value}' is not understood here";

    private IEnumerable<StaticRule> Of(FlowFamily? family, string? path, bool isOpen)
    {
        if (isOpen && !(_protocols.IsOpen || _sources.IsOpen || _destinations.IsOpen || _sourcePorts.IsOpen || _destinationPorts.IsOpen))
            return [];
        return from protocol in Pick(_protocols, isOpen)
               from source in Pick(_sources, isOpen)
               where family is null || source is null || source.Value.Family == family
               from destination in Pick(_destinations, isOpen)
               where family is null || destination is null || destination.Value.Family == family
               where source is null || destination is null || source.Value.Family == destination.Value.Family
               from sourcePort in Pick(_sourcePorts, isOpen)
               from destinationPort in Pick(_destinationPorts, isOpen)
               select new StaticRule
               {
                   Path = path,
                   Origin = origin,
                   Protocol = protocol,
                   Source = source,
                   Destination = destination ?? (family is null || source is not null ? null : new IpPrefix(default, 0, family.Value)),
                   SourcePort = sourcePort,
                   DestinationPort = destinationPort,
                   NotSources = isOpen ? _sources.Never : [],
                   NotDestinations = isOpen ? _destinations.Never : [],
               };
    }

    private static IReadOnlyList<T?> Pick<T>(Alternatives<T> condition, bool isOpen)
        where T : struct => isOpen ? condition.Possible : condition.Known;

    private void Add(Alternatives<IpPrefix> condition, string option, string text)
    {
        if (IpPrefix.TryParse(text, out IpPrefix prefix, out _))
            condition.Add(prefix);
        else
            Open(condition, NotUnderstood(option, text), never: null);
    }

    private void Open(Alternatives<IpPrefix> condition, string clause, IEnumerable<IpPrefix>? never)
    {
        _unknown.Add(clause);
        condition.Open(never);
    }

    private void Add(Alternatives<PortRange> condition, string option, string text, bool isUnderstood)
    {
        if (isUnderstood && PortRange.TryParse(text, out PortRange ports))
            condition.Add(ports);
        else
            LeaveAlone(condition, NotUnderstood(option, text));
    }

    private void LeaveAlone<T>(Alternatives<T> condition, string clause)
        where T : struct
    {
        AddUnknown(clause);
        condition.Open();
    }

    /// <summary>A rule of too many combinations loses its longest conditions, and is left alone.</summary>
    private void Bound()
    {
        while ((double)_protocols.Known.Count * _sources.Known.Count * _destinations.Known.Count
            * _sourcePorts.Known.Count * _destinationPorts.Known.Count > MaxRules)
        {
            AddUnknown($"more than {MaxRules} combinations of its values are not taken");
            if (_sources.Known.Count >= _destinations.Known.Count && _sources.Known.Count > 1)
                _sources.Clear();
            else if (_destinations.Known.Count > 1)
                _destinations.Clear();
            else
                (_sourcePorts.Known.Count > 1 ? _sourcePorts : _destinationPorts).Clear();
        }
    }
}
