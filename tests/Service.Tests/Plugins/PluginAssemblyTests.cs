using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Doctor;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Plugins;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Service.Tests.Plugins;

public sealed class PluginAssemblyTests : IDisposable
{
    private const string Key = "Plugins:Sinks";
    private const string Logging = "Microsoft.Extensions.Logging.Abstractions";

    private readonly PluginFiles _files = new();
    private readonly RecordingLogger _logger = new();

    [Fact]
    public async Task The_sample_classifier_answers()
    {
        PluginAssembly plugin = PluginAssembly.Load("Reclassify:Classifier", _files.Sample("Classifier", "SampleClassifier"));
        await using IFlowClassifier classifier = plugin.Create<IFlowClassifier>(_logger, TimeProvider.System);
        Assert.Equal("voice", classifier.Name);
        FlowTuple call = new() { Family = FlowFamily.IPv4, Protocol = IpProtocol.Udp, DestinationPort = 5060 };
        Assert.Equal(Verdict.To("dsl", "SIP"), classifier.Classify(new FlowQuestion(call, 0, null)));
        call.DestinationPort = 53;
        Assert.Equal(Verdict.None, classifier.Classify(new FlowQuestion(call, 0, null)));
        Assert.NotSame(typeof(IFlowClassifier).Assembly, classifier.GetType().Assembly);
    }

    [Fact]
    public async Task The_sample_sink_counts()
    {
        PluginAssembly plugin = PluginAssembly.Load(Key, _files.Sample("Sink", "SampleSink"));
        IFlowSink sink = plugin.Create<IFlowSink>(_logger, TimeProvider.System);
        FlowChangeBatch batch = new();
        foreach (ulong destination in new ulong[] { 1, 2, 2, 3 })
        {
            ref FlowChange change = ref batch.Add();
            change.Kind = destination == 3 ? FlowChangeKind.Ended : FlowChangeKind.Started;
            change.Flow.Original = new FlowTuple { Family = FlowFamily.IPv4, Destination = new IpAddress(0, destination) };
        }

        await sink.WriteAsync(batch, TestContext.Current.CancellationToken);
        await sink.DisposeAsync();
        Assert.Matches(
            @"^Plug-in SampleSink\.DestinationCounts of SampleSink [\d.]+ is loaded from /.*/SampleSink\.dll$", _logger.Entries[0].Message);
        Assert.Equal("New flows by destination: 0.0.0.2 2, 0.0.0.1 1", Assert.Single(_logger.Entries[1..]).Message);
    }

    [Theory]
    [InlineData("plugin.dll")]
    [InlineData("/plugin")]
    [InlineData("/plugin.dll:")]
    public void A_spec_of_another_form_is_refused(string spec) =>
        Assert.Equal(
            $"{Key}: \"{spec}\" is not the absolute path of a .dll, with or without :Full.Type.Name",
            Assert.Throws<ConfigurationException>(() => PluginAssembly.Load(Key, spec)).Message);

    [Fact]
    public void A_file_that_others_could_write_is_refused()
    {
        string file = _files.Sample("Sink", "SampleSink");
        File.SetUnixFileMode(file, File.GetUnixFileMode(file) | UnixFileMode.OtherWrite);
        Assert.Equal($"{Key}: {file} can be written by its group or by everybody (chmod go-w)", Refused(file));
        Assert.Equal($"{Key}: {_files.InDirectory("x.dll")} does not exist, or is no file", Refused(_files.InDirectory("x.dll")));
    }

    [Fact]
    public void What_is_no_assembly_is_refused()
    {
        string file = _files.InDirectory("text.dll");
        File.WriteAllText(file, "no assembly");
        Assert.Equal($"{Key}: {file}: it is not a .NET assembly, or is built for another processor", Refused(file));
    }

    [Theory]
    [InlineData(
        "System.Runtime",
        "it needs System.Runtime 99.0.0.0, which neither the service nor its own directory has; build it for net10.0, "
        + "or put that file beside it")]
    [InlineData(
        "ConntrackStream.Pipeline",
        "it needs ConntrackStream.Pipeline 99.1.0.0, which neither the service nor its own directory has; "
        + "build it against this version (0.1.0.0)")]
    public void One_for_another_version_says_so(string reference, string message)
    {
        string file = _files.Sample("Sink", "SampleSink");
        PluginFiles.AskForNewer(file, reference);
        Assert.Equal($"{Key}: {file}: {message}", Refused(file));
    }

    [Fact]
    public void A_dependency_that_is_not_there_is_named()
    {
        string file = _files.Sample("Sink", "SampleSink");
        string other = Logging[..^1] + "z";
        PluginFiles.Rename(file, Logging, other);
        Assert.StartsWith(
            $"{Key}: {file}: it needs {other} 10.0.0.0, which neither the service nor its own directory has; put {other}.dll beside it",
            Refused(file),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_dependency_that_others_could_write_is_refused()
    {
        string file = _files.Sample("Sink", "SampleSink");
        string other = Logging[..^1] + "z";
        PluginFiles.Rename(file, Logging, other);
        File.Delete(Path.ChangeExtension(file, ".deps.json")); // without it every file in the directory counts
        File.WriteAllText(_files.InDirectory($"{other}.dll"), "");
        File.SetUnixFileMode(_files.InDirectory($"{other}.dll"), UnixFileMode.UserRead | UnixFileMode.OtherWrite);
        Assert.Equal(
            $"{Key}: {file}: {_files.InDirectory($"{other}.dll")} can be written by its group or by everybody (chmod go-w)", Refused(file));
    }

    [Fact]
    public void Of_several_classes_one_must_be_named()
    {
        string file = _files.Copy(typeof(TestSink).Assembly.Location);
        string names = typeof(TestSink).Namespace!;
        Assert.StartsWith($"{Key}: {file}: several classes in it implement IFlowSink: {names}.", Refused(file), StringComparison.Ordinal);
        Assert.Equal("plain", Create($"{file}:{names}.{nameof(PlainTestSink)}").Name);
        Assert.Equal("logging", Create($"{file}:{names}.{nameof(LoggingTestSink)}").Name);
        Assert.Equal($"{Key}: {file}: there is no type {names}.No in it", Refused($"{file}:{names}.No"));
        Assert.Equal(
            $"{Key}: {file}: {names}.{nameof(TestSink)} is not a public class that implements {typeof(IFlowSink)}",
            Refused($"{file}:{names}.{nameof(TestSink)}"));
        Assert.Equal(
            $"{Key}: {file}: its constructor failed: System.InvalidOperationException: no licence found",
            Refused($"{file}:{names}.{nameof(FailingTestSink)}"));
        Assert.Equal(
            $"{Key}: {file}: {names}.{nameof(DemandingTestSink)} has no public constructor that takes nothing, (ILogger) or (ILogger, "
            + "TimeProvider); add one",
            Refused($"{file}:{names}.{nameof(DemandingTestSink)}"));
        Assert.Equal(
            $"{Key}: {file}: no public class in it implements {typeof(IFlowClassifier)}",
            Assert.Throws<ConfigurationException>(
                () => PluginAssembly.Load(Key, file).Create<IFlowClassifier>(_logger, TimeProvider.System)).Message);
    }

    public void Dispose() => _files.Dispose();

    private IFlowSink Create(string spec) => PluginAssembly.Load(Key, spec).Create<IFlowSink>(_logger, TimeProvider.System);

    private string Refused(string spec) => Assert.Throws<ConfigurationException>(() => Create(spec)).Message;
}
