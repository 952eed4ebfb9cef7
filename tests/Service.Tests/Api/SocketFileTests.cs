using System.Net.Sockets;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Api.Access;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>Who may connect to the socket.</summary>
public sealed class SocketFileTests
{
    [Theory]
    [InlineData("0600", null)]
    [InlineData("0666", "1")]
    [InlineData("0660", "daemon")]
    public async Task Mode_and_group_are_those_of_the_settings(string mode, string? group)
    {
        await using LiveApi api = await LiveApi.StartAsync(
            (_, settings) => (settings.SocketMode, settings.SocketGroup) = (mode, group));
        Assert.Equal((UnixFileMode)Convert.ToInt32(mode, 8), File.GetUnixFileMode(api.Socket));
        string expected = group is null ? "0" : "1"; // daemon's number on Debian, and everywhere else
        Assert.Equal(expected, ToolRun.Output("stat", ["-c", "%g", api.Socket]).Trim());
    }

    /// <summary>Anybody who connected before the settings apply would stay connected.</summary>
    [Fact]
    public void Until_the_settings_apply_it_is_the_own_users_alone()
    {
        string path = Path.Combine(Path.GetTempPath(), $"cs-socket-{Guid.NewGuid():N}");
        using Socket socket = SocketFile.Bind(new UnixDomainSocketEndPoint(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task A_group_that_does_not_exist_is_refused()
    {
        ConfigurationException refused = await Assert.ThrowsAsync<ConfigurationException>(
            () => LiveApi.StartAsync(static (_, settings) => settings.SocketGroup = "no-such-group"));
        Assert.Equal("Api:SocketGroup: there is no group 'no-such-group' (getent group)", refused.Faults[0]);
        Assert.Equal(0u, FileGroup.Find("root"));
    }
}
