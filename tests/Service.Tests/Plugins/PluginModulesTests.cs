using System.Diagnostics.Metrics;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Service.Doctor;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Reclassify.Classify;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Service.Tests.Plugins;

public sealed class PluginModulesTests : IDisposable
{
    private readonly PluginFiles _files = new();
    private readonly RecordingLogger _logger = new();
    private readonly Meter _meter = new("test");
    private readonly List<ModuleSet> _sets = [];

    [Fact]
    public async Task The_sample_module_works_by_its_options()
    {
        ModuleSet modules = New($"Plugins:Sinks={Sample}", "Plugins:Destinations:Top=1", "FlowLog:Enabled=false");
        modules.AttachPlugins();
        QueuedSink added = Assert.Single(modules.CreateSinks());
        FlowChangeBatch batch = new();
        foreach (ulong destination in new ulong[] { 1, 2, 2 })
        {
            ref FlowChange change = ref batch.Add();
            change.Kind = FlowChangeKind.Started;
            change.Flow.Original = new FlowTuple { Family = FlowFamily.IPv4, Destination = new IpAddress(0, destination) };
        }

        await added.Sink.WriteAsync(batch, TestContext.Current.CancellationToken);
        Assert.Equal(2, Measured("conntrack_stream_destinations"));
        await added.Sink.DisposeAsync();
        Assert.Equal("New flows by destination: 0.0.0.2 2", _logger.Entries[^1].Message);
    }

    [Theory]
    [InlineData("Plugins:Destinations:Top=0", "Plugins:Destinations:Top: \"0\" must be from 1 to 100 [--set]")]
    [InlineData("Plugins:Destinations:Top=many", "Plugins:Destinations:Top: \"many\" is not a whole number from 1 to 100 [--set]")]
    [InlineData("Plugins:Destinations:Tops=1", "Plugins:Destinations:Tops: no such key; did you mean Plugins:Destinations:Top? [--set]")]
    [InlineData("Plugins:Destination:Top=1", "Plugins:Destination:Top: no plug-in of Plugins:Sinks has this section [--set]")]
    public void Wrong_options_are_refused(string setting, string fault)
    {
        ModuleSet modules = New($"Plugins:Sinks={Sample}", setting);
        Assert.Equal(fault, Assert.Throws<ConfigurationException>(modules.AttachPlugins).Message);
    }

    [Fact]
    public void Two_of_one_section_are_refused()
    {
        ModuleSet modules = New($"Plugins:Sinks={Sample},{Sample}:SampleSink.DestinationModule");
        Assert.Equal(
            "Plugins:Sinks: several plug-ins have the section Destinations",
            Assert.Throws<ConfigurationException>(modules.AttachPlugins).Message);
    }

    [Fact]
    public void Two_sinks_of_one_name_are_refused()
    {
        ModuleSet modules = New($"Plugins:Sinks={Sample},{Sample}:SampleSink.DestinationCounts");
        modules.Host.State = StateDirectory.Open(_files.InDirectory("state"));
        modules.AttachPlugins();
        Assert.Equal(
            "Plugins:Sinks: two sinks are called destination-report",
            Assert.Throws<ConfigurationException>(() => modules.CreateSinks()).Message);
    }

    [Fact]
    public void A_metric_whose_name_is_taken_is_refused()
    {
        ModuleSet modules = New($"Plugins:Sinks={Sample}");
        modules.AttachPlugins();
        Assert.Equal(
            "Plugins:Sinks: SampleSink.DestinationModule cannot be attached: System.ArgumentException: "
            + "there is a metric destinations already (Parameter 'name')",
            Assert.Throws<ConfigurationException>(modules.AttachPlugins).Message);
    }

    [Fact]
    public async Task Doctor_has_the_checks_of_modules_and_names_sinks_and_classifiers()
    {
        ServiceOptions options = Load(
            $"Plugins:Sinks={Sample},{Sample}:SampleSink.DestinationCounts", "FlowLog:Path=-",
            "Reclassify:Enabled=true", "Reclassify:Paths=wan mark=1", $"Reclassify:Classifier={Sample}");
        string[] expected =
        [
            "ok    flow log: to standard output",
            $"fail  plug-in: Reclassify:Classifier: {Sample}: no public class in it implements {typeof(IFlowClassifier)} "
                + "→ see docs/plugins.md",
            $"ok    plug-in: SampleSink.DestinationCounts in {Sample}",
            "ok    destinations: the 5 busiest are logged every 00:01:00",
        ];
        Assert.Equal(string.Join('\n', expected), string.Join('\n', await ExamineAsync(options)));
        options = Load("Plugins:Sinks=/nowhere/plugin.dll");
        Assert.Contains(
            "fail  plug-in: Plugins:Sinks: /nowhere/plugin.dll does not exist, or is no file → see docs/plugins.md",
            await ExamineAsync(options),
            StringComparer.Ordinal);
    }

    private string Sample => field ??= _files.Sample("Sink", "SampleSink");

    private static async Task<IEnumerable<string>> ExamineAsync(ServiceOptions options) => (await ModuleChecks.RunAsync(
            options, NetworkNamespace.Current, TimeProvider.System, canAskKernel: false, TestContext.Current.CancellationToken))
        .Select(static result => result.ToString());

    private static ServiceOptions Load(params string[] settings) =>
        OptionsLoader.Load(new ConfigurationSources(Settings: settings)
        {
            DefaultFiles = [],
            Environment = new Dictionary<string, string>(StringComparer.Ordinal),
        });

    private ModuleSet New(params string[] settings)
    {
        ModuleSet modules = new(
            Load(settings), NetworkNamespace.Current, TimeProvider.System, new OneLogger(_logger), new Instruments(_meter),
            static () => { });
        _sets.Add(modules);
        modules.Attach();
        return modules;
    }

    private double Measured(string name)
    {
        double measured = double.NaN;
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter == _meter && instrument.Name == name)
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, _, _) => measured = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return measured;
    }

    public void Dispose()
    {
        _sets.ForEach(static modules => modules.DisposeAsync().AsTask().GetAwaiter().GetResult());
        _meter.Dispose();
        _files.Dispose();
    }

    private sealed class OneLogger(ILogger logger) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => logger;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
