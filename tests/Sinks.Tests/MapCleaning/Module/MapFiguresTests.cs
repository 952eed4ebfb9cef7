using System.Text.Json;
using ConntrackStream.Sinks.MapCleaning.Module;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Module;

public sealed class MapFiguresTests
{
    [Fact]
    public void Each_has_its_name_in_the_status_and_is_read_back_by_it()
    {
        string json = JsonSerializer.Serialize(MapFigures.Of(MapTestData.Status, "/sys/fs/bpf/m"), MapFiguresJson.Default.MapFigures);
        Assert.Equal(MapTestData.StatusJson, json);
        MapFigures read = JsonSerializer.Deserialize(json, MapFiguresJson.Default.MapFigures)!;
        Assert.Equal((10, 3), (read.Counters.Deleted, read.Counters.DeletedByOthers));
    }
}
