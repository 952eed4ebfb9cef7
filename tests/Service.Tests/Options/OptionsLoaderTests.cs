using System.Collections;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Delete;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Service.Tests.Options;

public sealed class OptionsLoaderTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"cs-options-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Without_any_source_there_are_the_defaults()
    {
        ServiceOptions options = Load(json: null);
        Assert.Equal(TimeSpan.FromSeconds(150), options.Audit.Interval);
        Assert.Equal("-", options.FlowLog.Path);
        Assert.Null(options.Tap.ReceiveBufferBytes);
    }

    [Theory]
    [InlineData("info", LogLevel.Information)]
    [InlineData("warn", LogLevel.Warning)]
    [InlineData("fail", LogLevel.Error)]
    [InlineData("crit", LogLevel.Critical)]
    [InlineData("Warning", LogLevel.Warning)]
    [InlineData("trace", LogLevel.Trace)]
    [InlineData("none", LogLevel.None)]
    public void A_level_is_read_as_the_log_prints_it(string text, LogLevel level) =>
        Assert.Equal(level, Load(json: null, set: $"Logging:Level={text}").Logging.Level);

    [Fact]
    public void Nought_needs_no_unit_where_it_means_never()
    {
        Assert.Equal(TimeSpan.Zero, Load("""{ "Pipeline": { "InterimInterval": 0 } }""").Pipeline.InterimInterval);
        Assert.Equal(TimeSpan.Zero, Load(json: null, set: "FlowLog:Rotation:Interval=0").FlowLog.Rotation.Interval);
        Assert.Throws<ConfigurationException>(() => Load(json: null, set: "Audit:Interval=0"));
    }

    [Fact]
    public void A_later_source_goes_over_an_earlier_one()
    {
        ServiceOptions options = Load(
            """{ "Audit": { "Interval": "5m" }, "Api": { "MaxConnections": 3, "Socket": "/file" }, "Tap": { "Track": true } }""",
            new Hashtable
            {
                ["CONNTRACKSTREAM__Api__MaxConnections"] = "4",
                ["CONNTRACKSTREAM__api__socket"] = "/environment",
                ["OTHER__Api__Enabled"] = "no",
            },
            "Api:Socket=/set");
        Assert.Equal(TimeSpan.FromMinutes(5), options.Audit.Interval);
        Assert.Equal(4, options.Api.MaxConnections);
        Assert.Equal("/set", options.Api.Socket);
        Assert.True(options.Tap.Track);
    }

    [Fact]
    public void A_list_is_replaced_whole()
    {
        ServiceOptions options = Load(
            """{ "Tap": { "Filter": { "Protocols": ["tcp", "udp", "icmp"], "Zones": [1, 2] } } }""", set: "Tap:Filter:Protocols=sctp, gre");
        Assert.Equal(["sctp", "gre"], options.Tap.Filter.Protocols);
        Assert.Equal<ushort>([1, 2], options.Tap.Filter.Zones);
    }

    [Fact]
    public void A_list_may_be_set_element_by_element()
    {
        ServiceOptions options = Load(
            """{ "Tap": { "Filter": { "Protocols": ["tcp", "udp"] } } }""",
            new Hashtable { ["CONNTRACKSTREAM__Tap__Filter__Protocols__0"] = "icmp" });
        Assert.Equal(["icmp"], options.Tap.Filter.Protocols);
    }

    [Fact]
    public void Null_keeps_the_default_and_comments_are_allowed()
    {
        ServiceOptions options = Load("""
            {
              // a comment
              "Tap": { "ReceiveBufferBytes": null, "NetworkNamespace": null, },
              "FlowLog": { "Format": "TEXT", "Events": ["start", "end"] },
            }
            """);
        Assert.Null(options.Tap.ReceiveBufferBytes);
        Assert.Equal(FlowLogFormat.Text, options.FlowLog.Format);
        Assert.Equal([FlowLogEvent.Start, FlowLogEvent.End], options.FlowLog.Events);
    }

    [Theory]
    [InlineData("Audit:Intervall=5m", "Audit:Intervall: no such key; did you mean Audit:Interval? [--set]")]
    [InlineData("Xyzzy:Plugh:Foo=1", "Xyzzy:Plugh:Foo: no such key; docs/configuration.md lists all keys [--set]")]
    [InlineData("Audit:Interval=150", "Audit:Interval: \"150\" is not a duration (00:02:30, 150s, 5m, 2h) [--set]")]
    [InlineData("Audit:Interval=2d", "Audit:Interval: \"2.00:00:00\" must be from 00:00:01 to 1.00:00:00 [--set]")]
    [InlineData("Tap:ReceiveBufferBytes=64MB!", "Tap:ReceiveBufferBytes: \"64MB!\" is not a size (1048576, 64MiB) [--set]")]
    [InlineData("Tap:ReceiveBufferBytes=1", "Tap:ReceiveBufferBytes: \"1\" must be from 4096 to 1073741824 [--set]")]
    [InlineData("Tap:Track=yes", "Tap:Track: \"yes\" is not true or false [--set]")]
    [InlineData("Tap:Reconnect:Jitter=1.5", "Tap:Reconnect:Jitter: \"1.5\" must be from 0 to 1 [--set]")]
    [InlineData("Tap:Reconnect:MaxDelay=1s", "Tap:Reconnect:MaxDelay: \"00:00:01\" must not be shorter than FirstDelay (00:00:05) [--set]")]
    [InlineData("Tap:Filter:Zones=70000", "Tap:Filter:Zones: \"70000\" is not a whole number from 0 to 65535 [--set]")]
    [InlineData("FlowLog=", "FlowLog: is a section, which has no value itself; name a key in it, such as FlowLog:Enabled [--set]")]
    [InlineData(
        "tap:filter=udp", "tap:filter: is a section, which has no value itself; name a key in it, such as Tap:Filter:Protocols [--set]")]
    [InlineData("FlowLog:Format=xml", "FlowLog:Format: \"xml\" is not one of json, text, ecs [--set]")]
    [InlineData("FlowLog:Format=1", "FlowLog:Format: \"1\" is not one of json, text, ecs [--set]")]
    [InlineData(
        "Logging:Level=loud",
        "Logging:Level: \"loud\" is not one of trace, debug, information, info, warning, warn, error, fail, critical, crit, none [--set]")]
    [InlineData("State:Directory=", "State:Directory: \"\" must not be empty [--set]")]
    [InlineData("TableHealth:CriticalPercent=70", "TableHealth:CriticalPercent: \"70\" must not be less than WarningPercent (80) [--set]")]
    [InlineData("FlowLog:Rotation:Keep=0", "FlowLog:Rotation:Keep: \"0\" must be from 1 to 10000 [--set]")]
    [InlineData("Map:Mode=purge", "Map:Mode: \"purge\" is not one of observe, delete [--set]")]
    [InlineData("Map:Grace=10ms", "Map:Grace: \"00:00:00.0100000\" must be from 00:00:00.100 to 01:00:00 [--set]")]
    [InlineData("Map:ArmedWindow=1h", "Map:ArmedWindow: \"01:00:00\" must be from 00:00:00.100 to 00:05:00 [--set]")]
    [InlineData("Map:TcpPatience=8d", "Map:TcpPatience: \"8.00:00:00\" must be from 00:00:00 to 7.00:00:00 [--set]")]
    [InlineData("Map:UdpPatience=2d", "Map:UdpPatience: \"2.00:00:00\" must be from 00:00:00 to 1.00:00:00 [--set]")]
    [InlineData("Map:MaxDeletesPerCycle=0", "Map:MaxDeletesPerCycle: \"0\" must be from 1 to 1048576 [--set]")]
    [InlineData("Map:UntrackedGroupSize=many", "Map:UntrackedGroupSize: \"many\" is not a whole number from 1 to 1048576 [--set]")]
    [InlineData("Map:Path=", "Map:Path: \"\" must have 1 to 4095 characters [--set]")]
    [InlineData("nonsense", "--set \"nonsense\": expected Section:Key=value")]
    public void A_fault_names_key_value_source_and_what_is_allowed(string set, string fault) =>
        Assert.Equal([fault], Assert.Throws<ConfigurationException>(() => Load(json: null, set: set)).Faults);

    [Theory]
    [InlineData("Tap:Filter:Protocols=tcp", "Tap:Filter:Protocols \"tcp\" [--set]")]
    [InlineData("Tap:Filter:Addresses=10.0.0.0/8,::1", "Tap:Filter:Addresses \"10.0.0.0/8,::1\" [--set]")]
    [InlineData("Tap:Filter:Zones=1", "Tap:Filter:Zones \"1\" [--set]")]
    public void A_map_and_a_filter_of_the_tap_exclude_each_other(string filter, string named)
    {
        string fault = Assert.Single(
            Assert.Throws<ConfigurationException>(() => Load(json: null, environment: null, filter, "Map:Path=/sys/fs/bpf/m")).Faults);
        Assert.StartsWith(
            $"Map:Path: \"/sys/fs/bpf/m\" cannot go together with {named}: entries of flows that the filter hides would look stale",
            fault,
            StringComparison.Ordinal);
        Load(json: null, set: filter);
    }

    [Fact]
    public void A_map_is_only_observed_unless_told_otherwise()
    {
        MapSettings map = Load(json: null, set: "Map:Path=id:17").Map;
        Assert.Equal(("id:17", MapMode.Observe), (map.Path, map.Mode));
        Assert.Equal(MapMode.Delete, Load(json: null, set: "Map:Mode=delete").Map.Mode);
        Assert.Null(Load(json: null, set: "Map:Mode=delete").Map.Path);
    }

    [Fact]
    public void A_refused_filter_says_why()
    {
        string fault = Assert.Single(Assert.Throws<ConfigurationException>(() => Load(json: null, set: "Tap:Filter:Protocols=tpc")).Faults);
        Assert.StartsWith(
            "Tap:Filter:Protocols: \"tpc\" is refused: 'tpc' is not a protocol; allowed are tcp, udp", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_fault_is_told_with_the_file_it_is_in()
    {
        ConfigurationException e = Assert.Throws<ConfigurationException>(
            () => Load("""{ "Api": { "Enabled": "maybe", "Port": 80 }, "Audit": { "Jitter": ["a"] } }"""));
        Assert.Equal(3, e.Faults.Count);
        Assert.All(e.Faults, fault => Assert.EndsWith($"[{_file}]", fault, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("[1]", "not a JSON object")]
    [InlineData("""{ "Api": { "Socket": "a", "Socket": "b" } }""", "Api:Socket is there twice")]
    [InlineData("""{ "Tap": { "Track": true }, "tap": { "Filter": {} } }""", "tap is there twice")]
    [InlineData("""{ "Reclassify": { "Paths": [{}, { "A": 1, "a": 2 }] } }""", "Reclassify:Paths:1:a is there twice")]
    public void A_bad_file_is_named(string json, string problem)
    {
        string fault = Assert.Single(Assert.Throws<ConfigurationException>(() => Load(json)).Faults);
        Assert.StartsWith($"{_file}: {problem}", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ \"Api\": ", ":1:10: not valid JSON: ")]
    [InlineData("{\n  \"Api\": 1 1\n}", ":2:12: not valid JSON: '1' is invalid after a value.")]
    [InlineData("{ \"Tap\": { \"Filter\": { \"Zones\": [1, 2 ", "not valid JSON: the file ends within a list or an object")]
    [InlineData(
        "{ \"Tap\": { \"Filter\": { \"Zones\": [1, 2 } } }",
        ":1:39: not valid JSON: '}' does not close what is open here: ] closes a list")]
    [InlineData("", ":1:1: not valid JSON: the file is empty")]
    public void A_fault_of_json_has_its_line_and_column_as_editors_count_them(string json, string problem)
    {
        string fault = Assert.Single(Assert.Throws<ConfigurationException>(() => Load(json)).Faults);
        Assert.StartsWith(_file + ":", fault, StringComparison.Ordinal);
        Assert.Contains(problem, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Null_is_no_value_of_a_section() => Assert.Equal(
        $"FlowLog: is a section, which has no value itself; name a key in it, such as FlowLog:Enabled [{_file}]",
        Assert.Single(Assert.Throws<ConfigurationException>(() => Load("""{ "FlowLog": null }""")).Faults));

    [Fact]
    public void A_directory_is_no_configuration_file()
    {
        string directory = Path.GetTempPath();
        ConfigurationException e = Assert.Throws<ConfigurationException>(
            () => OptionsLoader.Load(new ConfigurationSources(directory) { Environment = new Hashtable() }));
        Assert.Equal($"{directory}: is a directory; name a file in it", Assert.Single(e.Faults));
    }

    [Fact]
    public void A_file_that_was_named_must_exist()
    {
        ConfigurationException e = Assert.Throws<ConfigurationException>(
            () => OptionsLoader.Load(new ConfigurationSources("/nonexistent/x.json") { Environment = new Hashtable() }));
        Assert.StartsWith("/nonexistent/x.json: cannot be read", Assert.Single(e.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_default_file_that_exists_is_read()
    {
        File.WriteAllText(_file, """{ "Api": { "MaxConnections": 7 } }""");
        ConfigurationSources sources = new() { DefaultFiles = ["/nonexistent/appsettings.json", _file], Environment = new Hashtable() };
        Assert.Equal(7, OptionsLoader.Load(sources).Api.MaxConnections);
    }

    private ServiceOptions Load(string? json, Hashtable? environment = null, params string[] set)
    {
        if (json is not null)
            File.WriteAllText(_file, json);
        return OptionsLoader.Load(
            new ConfigurationSources(json is null ? null : _file, set) { DefaultFiles = [], Environment = environment ?? [] });
    }
}
