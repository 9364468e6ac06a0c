# Production image: the product and its pinned requirements, no embedded servers, no demo. See docs/operations.md.
FROM python:3.13-slim AS build
COPY requirements.txt .
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOTLINE_DATA=/data
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin hotline \
 && install -d -o hotline -g hotline /data
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# Neither a key nor a database is used here; nothing of this command's environment stays in the image.
RUN HOTLINE_SECRET_KEY=only-while-building HOTLINE_DATA=/tmp python manage.py collectstatic --noinput -v 0
USER hotline
EXPOSE 8000
VOLUME /data
CMD ["uvicorn", "hotline.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--timeout-graceful-shutdown", "3", "--no-access-log"]
