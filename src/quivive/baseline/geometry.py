"""Distances on the globe."""

from math import asin, cos, radians, sin, sqrt

EARTH_KM = 6371.0


def distance_km(lat1: float, long1: float, lat2: float, long2: float) -> float:
    """Great-circle distance in km between two points in degrees (haversine)."""
    phi1, phi2 = radians(lat1), radians(lat2)
    half_lat = (phi2 - phi1) / 2
    half_long = radians(long2 - long1) / 2
    a = sin(half_lat) ** 2 + cos(phi1) * cos(phi2) * sin(half_long) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(a)))
