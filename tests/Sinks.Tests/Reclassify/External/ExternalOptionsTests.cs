using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Tests.Reclassify.External;

public sealed class ExternalOptionsTests
{
    [Fact]
    public void By_default_there_is_none_and_nothing_is_wrong()
    {
        Assert.False(new ExternalOptions().IsConfigured);
        Assert.Empty(new ExternalOptions().Validate());
        Assert.True(new ExternalOptions { Command = ["/bin/cat"] }.IsConfigured);
        Assert.True(new ExternalOptions { Socket = "/run/x" }.IsConfigured);
    }

    [Fact]
    public void Each_fault_names_key_value_and_what_is_allowed()
    {
        Assert.Equal(
            "Reclassify:External:Socket: \"/run/x\" cannot be together with Reclassify:External:Command: "
            + "a program is either started or connected to",
            Assert.Single(new ExternalOptions { Command = ["/bin/cat"], Socket = "/run/x" }.Validate()));
        Assert.Equal(
            "Reclassify:External:Command: \"cat,-\" must begin with the absolute path of a program",
            Assert.Single(new ExternalOptions { Command = ["cat", "-"] }.Validate()));
        Assert.Equal(
            "Reclassify:External:Socket: \"x\" must be an absolute path of at most 107 bytes",
            Assert.Single(new ExternalOptions { Socket = "x" }.Validate()));
        Assert.Equal(
            "Reclassify:External:User: \"\" must be the name of a user", Assert.Single(new ExternalOptions { User = "" }.Validate()));
        Assert.Equal(
            "Reclassify:External:Deadline: \"00:00:00\" must be from 00:00:00.001 to 00:01:00",
            Assert.Single(new ExternalOptions { Deadline = default }.Validate()));
        Assert.Equal(
            "Reclassify:External:MaxOutstanding: \"0\" must be from 1 to 65536",
            Assert.Single(new ExternalOptions { MaxOutstanding = 0 }.Validate()));
        Assert.Equal(
            "Reclassify:External:VerdictTime: \"02:00:00\" must be from 00:00:00.100 to 01:00:00",
            Assert.Single(new ExternalOptions { VerdictTime = TimeSpan.FromHours(2) }.Validate()));
    }
}
