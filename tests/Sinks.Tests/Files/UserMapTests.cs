using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Sinks.Tests.Files;

public sealed class UserMapTests
{
    [Theory]
    [InlineData("         0          0 4294967295\n", 65534, "chown 0")]
    [InlineData("         0     100000      65536\n", 1000, "chown 0")]
    [InlineData("         0       1000          1\n", 65534, "this user namespace lacks its owner: chown 1000 outside of it")]
    [InlineData(
        "0 100000 65536\n", 65534, "chown 0; if that is refused, this user namespace lacks its owner: chown 100000 outside of it")]
    [InlineData("", 65534, "chown 0")]
    public void An_owner_that_the_user_namespace_lacks_is_changed_outside(string map, uint owner, string advice) =>
        Assert.Equal(advice, new UserMap(map).Advice(owner, wanted: 0));

    [Fact]
    public void Users_outside_are_counted_from_the_begin_of_their_range() => Assert.Equal(
        "this user namespace lacks its owner: chown 1007 outside of it", new UserMap("0 1000 1\n3 1005 9\n").Advice(65534, wanted: 5));
}
