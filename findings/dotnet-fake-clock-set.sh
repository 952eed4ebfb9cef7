#!/usr/bin/env bash
# Microsoft.Extensions.TimeProvider.Testing 10.11.0: setting FakeTimeProvider's wall clock sets its monotonic one, too.
#
# AdjustTime stands for somebody who sets the clock: timers do not see it, as they should not. But GetTimestamp, which stands for
# CLOCK_MONOTONIC, goes back by as much, and so GetElapsedTime of what was a moment ago is negative. After an hour back and a minute on:
#
#   timers     the one that was due in a minute has fired
#   elapsed    -00:59:00, where a system's clock says 00:01:00
#
# A test with it of code that waits by timestamps so as not to depend on the clock fails though the code is right; with code that compares
# the wall clock with the monotonic one it sees no difference, ever.
source "$(dirname "$0")/lib.sh"

cat >"$work/clock.csproj" <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageReference Include="Microsoft.Extensions.TimeProvider.Testing" Version="[10.11.0]" /></ItemGroup>
</Project>
XML
cat >"$work/clock.cs" <<'CS'
using System;
using System.Threading;
using Microsoft.Extensions.Time.Testing;

FakeTimeProvider time = new();
bool fired = false;
using ITimer timer = time.CreateTimer(_ => fired = true, null, TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
long before = time.GetTimestamp();
time.AdjustTime(time.GetUtcNow() - TimeSpan.FromHours(1));
Console.WriteLine($"set {time.GetElapsedTime(before)} {fired}");
time.Advance(TimeSpan.FromMinutes(1));
Console.WriteLine($"later {time.GetElapsedTime(before)} {fired}");
CS
export NUGET_PACKAGES=$work/packages DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
quietly dotnet build "$work/clock.csproj" -o "$work/program" || { cat "$work/out" >&2; exit 2; }
seen=$(dotnet "$work/program/clock.dll")

expect 'the monotonic clock went back, and no timer fired' "$(grep ^set <<<"$seen")" 'set -01:00:00 False'
expect 'it stays behind, and the timer fires when a minute has passed' "$(grep ^later <<<"$seen")" 'later -00:59:00 True'
