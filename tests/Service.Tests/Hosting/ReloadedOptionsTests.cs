using System.Collections;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Tests.Hosting;

/// <summary>What a SIGHUP finds changed, and leaves to a restart.</summary>
public sealed class ReloadedOptionsTests
{
    [Fact]
    public void Changed_keys_are_named_without_their_values_and_those_taken_are_not()
    {
        ServiceOptions running = Load("Logging:Level=warn", "Tap:Filter:Zones=1,2", "FlowLog:Path=/a", "Plugins:X:Password=old");
        Assert.Empty(ReloadedOptions.NotTaken(running, Load(
            "Logging:Level=debug", "Tap:Filter:Zones:0=1", "Tap:Filter:Zones:1=2", "FlowLog:Path=/a", "Plugins:X:Password=old")));
        Assert.Equal(
            ["Tap:Filter:Zones", "FlowLog:Path", "Plugins:X:Password", "Plugins:X:Top"],
            ReloadedOptions.NotTaken(running, Load("Tap:Filter:Zones=1", "Plugins:X:Password=new", "Plugins:X:Top=3")));
    }

    private static ServiceOptions Load(params string[] settings) =>
        OptionsLoader.Load(new ConfigurationSources(Settings: settings) { DefaultFiles = [], Environment = new Hashtable() });
}
