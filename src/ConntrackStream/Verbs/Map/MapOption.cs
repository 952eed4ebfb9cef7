using System.CommandLine;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.MapCleaning;

namespace ConntrackStream.Service.Verbs.Map;

/// <summary><c>--map</c>: which eBPF map a verb is about.</summary>
internal sealed class MapOption
{
    internal Option<string?> Option { get; } = new("--map")
    {
        Description = "The map: the path of its pin, or id:N [Map:Path of the configuration, else the AWS agent's pin]",
        HelpName = "PATH|id:N",
    };

    /// <exception cref="ConfigurationException">None is named anywhere.</exception>
    internal string Read(ParseResult parsed, MapSettings settings) => parsed.GetValue(Option) ?? settings.Find(File.Exists)
        ?? throw new ConfigurationException(
            [$"no eBPF map is named: Map:Path is not set, and the AWS agent's pin {MapSettings.AgentPin} is not there; name one with --map "
            + $"PATH or --map id:N (bpftool map list tells ids)"]);
}
