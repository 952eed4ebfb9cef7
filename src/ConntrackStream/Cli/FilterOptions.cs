using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Cli;

/// <summary>
/// The filter options, everywhere the same and named as in conntrack-tools. A list (repeated, or with commas) means any of it.
/// </summary>
internal sealed class FilterOptions
{
    private readonly Option<IpProtocol[]> _protocols = Many<IpProtocol>(
        "--proto", ["-p", "--protonum"], "PROTO", "Protocol: a name (tcp, udp, icmp, …) or a number", FilterText.TryParseProtocol);

    private readonly Option<IpPrefix[]> _sources = Many<IpPrefix>(
        "--src", ["-s", "--orig-src"], "ADDR", "Source of the original direction: an address or a prefix", IpPrefix.TryParse);

    private readonly Option<IpPrefix[]> _destinations = Many<IpPrefix>(
        "--dst", ["-d", "--orig-dst"], "ADDR", "Destination of the original direction: an address or a prefix", IpPrefix.TryParse);

    private readonly Option<ushort[]> _sourcePorts = Many<ushort>(
        "--sport", [], "PORT", "Source port of the original direction", FilterText.TryParsePort);

    private readonly Option<ushort[]> _destinationPorts = Many<ushort>(
        "--dport", [], "PORT", "Destination port of the original direction", FilterText.TryParsePort);

    private readonly Option<MarkMatch?> _mark = One<MarkMatch>("--mark", ["-m"], "VALUE[/MASK]", "Connection mark", MarkMatch.TryParse);
    private readonly Option<ushort[]> _zones = Many<ushort>(
        "--zone", ["-w"], "ZONE", "Conntrack zone, of either direction", FilterText.TryParseZone);
    private readonly Option<TcpState?> _state = One<TcpState>(
        "--state", [], "STATE", "TCP state, such as ESTABLISHED", FilterText.TryParseState);

    private readonly Option<StatusMatch?> _status = One<StatusMatch>(
        "--status", ["-u"], "STATUS", "Status names with commas, such as ASSURED or UNREPLIED; !NAME for its opposite",
        StatusMatch.TryParse);

    private readonly Option<FlowFamily?> _family = One<FlowFamily>("--family", ["-f"], "FAMILY", "ipv4 or ipv6", FilterText.TryParseFamily);
    private readonly Option<bool> _anyNat = new("--any-nat") { Description = "Only flows whose source or destination is translated" };

    private delegate bool Parse<T>(string? text, out T value, [NotNullWhen(false)] out string? error);

    internal IEnumerable<Option> All =>
        [_protocols, _sources, _destinations, _sourcePorts, _destinationPorts, _mark, _zones, _state, _status, _family, _anyNat];

    /// <summary>Those that hold for a flow's whole life or not at all.</summary>
    internal IEnumerable<Option> OfLives =>
        [_protocols, _sources, _destinations, _sourcePorts, _destinationPorts, _zones, _family, _anyNat];

    /// <summary>Those that mean something for a key of an eBPF map.</summary>
    internal IEnumerable<Option> OfKeys => [_protocols, _sources, _destinations, _sourcePorts, _destinationPorts];

    internal FlowFilter Read(ParseResult parsed) => new()
    {
        Family = parsed.GetValue(_family) ?? FlowFamily.Unspecified,
        Protocols = [.. parsed.GetValue(_protocols) ?? []],
        Sources = [.. parsed.GetValue(_sources) ?? []],
        Destinations = [.. parsed.GetValue(_destinations) ?? []],
        SourcePorts = [.. parsed.GetValue(_sourcePorts) ?? []],
        DestinationPorts = [.. parsed.GetValue(_destinationPorts) ?? []],
        Zones = [.. parsed.GetValue(_zones) ?? []],
        Mark = parsed.GetValue(_mark),
        State = parsed.GetValue(_state),
        Status = parsed.GetValue(_status),
        Nat = parsed.GetValue(_anyNat) ? NatMatch.Any : NatMatch.Ignore,
    };

    /// <summary>The same filter as a query string for the running service, empty for none.</summary>
    internal string ToQuery(ParseResult parsed) => string.Join('&', All
        .Select(option => (Name: option.Name.TrimStart('-'), Result: parsed.GetResult(option)))
        .Where(static given => given.Result is { Implicit: false })
        .Select(static given => (given.Name, Values: given.Result!.Tokens.Select(static token => token.Value)))
        .Select(static given => $"{given.Name}={Uri.EscapeDataString(given.Values.Any() ? string.Join(',', given.Values) : "true")}"));

    /// <summary>The same filter as it is written on a command line, empty for none.</summary>
    internal string ToText(ParseResult parsed) => string.Join(' ', All
        .Select(parsed.GetResult)
        .OfType<OptionResult>()
        .Where(static given => !given.Implicit)
        .Select(static given => string.Join(' ', [given.Option.Name, string.Join(',', given.Tokens.Select(static token => token.Value))]))
        .Select(static words => words.TrimEnd()));

    private static Option<T[]> Many<T>(string name, string[] aliases, string argument, string description, Parse<T> parse) =>
        new(name, aliases)
        {
            Description = description,
            HelpName = argument,
            Arity = ArgumentArity.OneOrMore,
            CustomParser = result =>
            {
                List<T> values = [];
                foreach (string text in result.Tokens.SelectMany(static token => token.Value.Split(',', StringSplitOptions.TrimEntries)))
                {
                    if (TryParse(text, parse, name, result, out T value))
                        values.Add(value);
                }

                return [.. values];
            },
        };

    private static Option<T?> One<T>(string name, string[] aliases, string argument, string description, Parse<T> parse)
        where T : struct => new(name, aliases)
        {
            Description = description,
            HelpName = argument,
            Arity = ArgumentArity.ExactlyOne,
            CustomParser = result => TryParse(result.Tokens[0].Value, parse, name, result, out T value) ? value : null,
        };

    private static bool TryParse<T>(string text, Parse<T> parse, string name, ArgumentResult result, out T value)
    {
        if (parse(text, out value, out string? error))
            return true;
        result.AddError($"{name}: {error}");
        return false;
    }
}
