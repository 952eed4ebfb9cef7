using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Plugins;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Tests.Plugins;

/// <summary>As the native build behaves, by its switch.</summary>
[Collection(nameof(NativeBuildTests))]
[CollectionDefinition(nameof(NativeBuildTests), DisableParallelization = true)] // the switch is the process's
public sealed class NativeBuildTests : IDisposable
{
    public NativeBuildTests() => AppContext.SetSwitch(PluginSupport.Switch, isEnabled: false);

    public void Dispose() => AppContext.SetSwitch(PluginSupport.Switch, isEnabled: true);

    [Fact]
    public void A_plug_in_is_refused_with_its_key_the_reason_and_the_way_out() =>
        Assert.Equal(
            "Reclassify:Classifier: \"/x/voice.dll\" is a .NET assembly, which this native build cannot load; use the JIT build "
            + "(dotnet publish -p:PublishAot=false) or, for a classifier, a program (Reclassify:External)",
            Assert.Throws<ConfigurationException>(
                () => new PluginLoader(NullLoggerFactory.Instance, TimeProvider.System).Describe<object>(
                    "Reclassify:Classifier", "/x/voice.dll")).Message);

    /// <summary>Its properties would be missing; the service's own options have none such, or no test here would read any.</summary>
    [Fact]
    public void A_section_that_the_compiler_does_not_know_is_refused() =>
        Assert.Throws<NotSupportedException>(() => OptionCatalog.Of(new Stranger(), "").Count());

    private sealed class Stranger;
}
