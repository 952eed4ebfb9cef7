using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Tests.Plugins;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>A plug-in in the build that can load one, and in the native one.</summary>
[Trait(ServiceProcess.Builds, ServiceProcess.Both)]
public sealed class PluginBuildTests : IDisposable
{
    private readonly KernelNamespace _space = new(track: false);
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-plugin-").FullName;

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task It_is_loaded_or_refused_with_the_way_out()
    {
        using PluginFiles files = new();
        string plugin = files.Sample("Sink", "SampleSink");
        string[] settings = ["--set", $"Plugins:Sinks={plugin}", "--set", "Plugins:Destinations:Top=3"];
        if (ServiceProcess.IsNative)
        {
            (int code, _, string error) = await ServiceProcess.RunAsync(["run", "--netns", _space.Name, .. settings]);
            Assert.Equal(2, code); // RestartPreventExitStatus
            Assert.Contains(
                $"configuration: Plugins:Sinks: \"{plugin}\" is a .NET assembly, which this native build cannot load; use the JIT build",
                error,
                StringComparison.Ordinal);
        }
        else
        {
            using ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory, settings);
            (_, string status, _) = await ServiceProcess.RunAsync("stats", "--live", "--socket", $"{_directory}/api.sock");
            Assert.Contains("\"destination-report\"", status, StringComparison.Ordinal);
        }
    }
}
